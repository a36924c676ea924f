// SPDX-License-Identifier: MIT
/*
 * rig_fixture.h - a rig and a client of it, as most tests of the engine have.
 *
 * The setup is the test program's own, with its limits; a test may start over.
 */
#pragma once

#include "tests/support/engine_rig.h"
#include "tests/support/rig_client.h"

static struct rig *rig;
static struct rig_client *client;

static inline int teardown(void **state)
{
	(void)state;
	rig_destroy(rig);
	return 0;
}
