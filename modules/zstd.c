// SPDX-License-Identifier: MIT
/*
 * zstd.c - zstd_compress and zstd_decompress, through libzstd.
 *
 * Both go by pieces, so that a call can be cancelled and holds no more of its
 * value than there is; the value is bounded by wynd's max-value, however much a
 * small argument says that it will become. What a call works with is a state of
 * the module, for making it takes longer than compressing a page.
 */
#include <stdlib.h>

#include <zstd.h>

#include <wyn/module.h>

#define LEVEL	    3
#define PIECE_BYTES ((size_t)1 << 18) /* between two looks at the flag */
#define OUT_BYTES   ((size_t)1 << 16)

/* What RFC 8878 asks of everybody: 8 MiB. A frame with a larger window would
 * make one small argument cost as much memory. */
#define WINDOW_LOG_MAX 23

struct codec {
	ZSTD_CCtx *compress;
	ZSTD_DCtx *decompress;
	char out[OUT_BYTES];
};

static void codec_destroy(void *state)
{
	struct codec *codec = state;

	(void)ZSTD_freeCCtx(codec->compress);
	(void)ZSTD_freeDCtx(codec->decompress);
	free(codec);
}

static void *codec_create(void)
{
	struct codec *codec = malloc(sizeof(*codec));

	if (codec == NULL) {
		return NULL;
	}
	codec->compress = ZSTD_createCCtx();
	codec->decompress = ZSTD_createDCtx();
	if (codec->compress == NULL || codec->decompress == NULL) {
		codec_destroy(codec);
		return NULL;
	}
	(void)ZSTD_CCtx_setParameter(
		codec->compress, ZSTD_c_compressionLevel, LEVEL);
	(void)ZSTD_CCtx_setParameter(codec->compress, ZSTD_c_checksumFlag, 1);
	(void)ZSTD_DCtx_setParameter(
		codec->decompress, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	return codec;
}

static int no_memory(struct wyn_context *context)
{
	return wyn_fail(context, WYN_STATUS_RESOURCE_EXHAUSTED,
		"no memory to work with");
}

/* Of a size that libzstd returned. */
static int wrong(struct wyn_context *context, int status, size_t size)
{
	return wyn_fail(context, status, "%s", ZSTD_getErrorName(size));
}

static ZSTD_inBuffer piece_of(
	const void *argument, size_t argument_bytes, size_t at)
{
	size_t left = argument_bytes - at;

	return (ZSTD_inBuffer){.src = (const char *)argument + at,
		.size = left < PIECE_BYTES ? left : PIECE_BYTES};
}

/* All that comes of a piece goes behind the value. */
static int piece_compress(struct wyn_context *context, struct codec *codec,
	ZSTD_inBuffer *piece, ZSTD_EndDirective end)
{
	size_t left;

	do {
		ZSTD_outBuffer out = {codec->out, OUT_BYTES, 0};
		int code;

		left = ZSTD_compressStream2(codec->compress, &out, piece, end);
		if (ZSTD_isError(left)) {
			return wrong(context, WYN_STATUS_INTERNAL, left);
		}
		code = wyn_value_append(context, out.dst, out.pos);
		if (code != WYN_STATUS_OK) {
			return code;
		}
	} while (left > 0 && (end == ZSTD_e_end || piece->pos < piece->size));
	return WYN_STATUS_OK;
}

static int zstd_compress(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	struct codec *codec = wyn_state(context);
	size_t at = 0;
	int code = WYN_STATUS_OK;

	if (codec == NULL) {
		return no_memory(context);
	}
	(void)ZSTD_CCtx_reset(codec->compress, ZSTD_reset_session_only);
	(void)ZSTD_CCtx_setPledgedSrcSize(codec->compress, argument_bytes);
	do {
		ZSTD_inBuffer piece =
			argument_bytes > 0
				? piece_of(argument, argument_bytes, at)
				: (ZSTD_inBuffer){"", 0, 0};

		if (wyn_cancelled(context)) {
			return WYN_STATUS_CANCELLED;
		}
		at += piece.size;
		code = piece_compress(context, codec, &piece,
			at == argument_bytes ? ZSTD_e_end : ZSTD_e_continue);
	} while (code == WYN_STATUS_OK && at < argument_bytes);
	return code;
}

/* *ret_left is 0 at the end of a frame; before it, a full buffer may have more
 * behind. */
static int piece_decompress(struct wyn_context *context, struct codec *codec,
	ZSTD_inBuffer *piece, size_t *ret_left)
{
	ZSTD_outBuffer out;

	do {
		int code;

		if (wyn_cancelled(context)) {
			return WYN_STATUS_CANCELLED;
		}
		out = (ZSTD_outBuffer){codec->out, OUT_BYTES, 0};
		*ret_left =
			ZSTD_decompressStream(codec->decompress, &out, piece);
		if (ZSTD_isError(*ret_left)) {
			return wrong(context, WYN_STATUS_INVALID_ARGUMENT,
				*ret_left);
		}
		code = wyn_value_append(context, out.dst, out.pos);
		if (code != WYN_STATUS_OK) {
			return code;
		}
	} while (piece->pos < piece->size ||
		 (*ret_left > 0 && out.pos == out.size));
	return WYN_STATUS_OK;
}

static int zstd_decompress(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	struct codec *codec = wyn_state(context);
	size_t left = 1;
	int code = WYN_STATUS_OK;

	if (codec == NULL) {
		return no_memory(context);
	}
	(void)ZSTD_DCtx_reset(codec->decompress, ZSTD_reset_session_only);
	for (size_t at = 0; code == WYN_STATUS_OK && at < argument_bytes;) {
		ZSTD_inBuffer piece = piece_of(argument, argument_bytes, at);

		at += piece.size;
		code = piece_decompress(context, codec, &piece, &left);
	}
	if (code == WYN_STATUS_OK && left > 0) {
		return wyn_fail(context, WYN_STATUS_INVALID_ARGUMENT,
			"the argument ends before its zstd frame does");
	}
	return code;
}

static const struct wyn_function functions[] = {
	{"zstd_compress", "the argument as a zstd frame", zstd_compress, 0},
	{"zstd_decompress", "what is in the argument's zstd frames",
		zstd_decompress, 0},
};

const struct wyn_module wyn_module = {
	.abi = WYN_MODULE_ABI,
	.size_bytes = sizeof(struct wyn_module),
	.name = "zstd",
	.version = "1",
	.functions = functions,
	.functions_count = sizeof(functions) / sizeof(functions[0]),
	.state_create = codec_create,
	.state_destroy = codec_destroy,
};
