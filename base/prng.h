// SPDX-License-Identifier: MIT
/*
 * prng.h - a small, fast, seedable generator: xoshiro256** 1.0.
 *
 * By Blackman and Vigna (prng.di.unimi.it, public domain), seeded through
 * their splitmix64 as they advise. The same seed gives the same numbers on
 * every machine, so a test can print its seed and be run again. Not for
 * secrets. Any room; one thread per generator.
 */
#pragma once

#include <stdint.h>

struct wyn_prng {
	uint64_t state[4];
};

/* One step of splitmix64; also a good way to mix an integer. */
static inline uint64_t wyn_prng_splitmix(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Any seed will do, 0 too. */
static inline void wyn_prng_init(struct wyn_prng *prng, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		prng->state[i] = wyn_prng_splitmix(&seed);
	}
}

static inline uint64_t wyn_prng_rotate(uint64_t x, unsigned int bits)
{
	return (x << bits) | (x >> (64u - bits));
}

static inline uint64_t wyn_prng_next(struct wyn_prng *prng)
{
	uint64_t *s = prng->state;
	uint64_t result = wyn_prng_rotate(s[1] * 5u, 7) * 9u;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = wyn_prng_rotate(s[3], 45);
	return result;
}

/*
 * A number below `bound`, which is not 0. Lemire's multiplication without the
 * rejection step: the bias is below bound / 2^64, nothing to a test.
 */
static inline uint64_t wyn_prng_below(struct wyn_prng *prng, uint64_t bound)
{
	__extension__ typedef unsigned __int128 wide;

	return (uint64_t)(((wide)wyn_prng_next(prng) * bound) >> 64);
}
