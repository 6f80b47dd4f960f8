#include "CPocketSphinx.h"

#include <pocketsphinx/pocketsphinx.h>
#include <sphinxbase/cmn.h>
#include <sphinxbase/err.h>
#include <sphinxbase/feat.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cps_decoder {
    cmd_ln_t *configuration;
    ps_decoder_t *decoder;
};

static _Thread_local char last_error[512];

// PocketSphinx writes hundreds of lines to standard error while it loads. Only errors are kept.
static void keep_errors(void *context, err_lvl_t level, const char *format, ...) {
    (void)context;
    if (level < ERR_ERROR) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last_error, sizeof last_error, format, arguments);
    va_end(arguments);
    size_t length = strlen(last_error);
    while (length > 0 && last_error[length - 1] == '\n') last_error[--length] = 0;
}

const char *cps_error(void) { return last_error; }

void cps_close(struct cps_decoder *decoder) {
    if (decoder->decoder) ps_free(decoder->decoder);
    if (decoder->configuration) cmd_ln_free_r(decoder->configuration);
    free(decoder);
}

struct cps_decoder *cps_open(const char *acoustic_model, const char *language_model, const char *dictionary) {
    err_set_logfp(NULL);
    err_set_callback(keep_errors, NULL);
    last_error[0] = 0;
    struct cps_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) return NULL;
    decoder->configuration = cmd_ln_init(
        NULL, ps_args(), 1, "-hmm", acoustic_model, "-lm", language_model, "-dict", dictionary, NULL);
    if (decoder->configuration) decoder->decoder = ps_init(decoder->configuration);
    if (decoder->decoder) return decoder;
    cps_close(decoder);
    return NULL;
}

// The cepstral mean is estimated from all that was heard. Set back to what it is in a decoder that has heard nothing: the
// model's own first guess, with no frame seen.
static int reset_cepstral_mean(struct cps_decoder *decoder) {
    cmn_t *cmn = ps_get_feat(decoder->decoder)->cmn_struct;
    if (!cmn) return 0;
    const char *words = cmd_ln_str_r(decoder->configuration, "-cmninit");
    for (int index = 0; index < cmn->veclen; index++) {
        char *end = NULL;
        cmn->cmn_mean[index] = FLOAT2MFCC(words ? strtod(words, &end) : 0);
        if (words && end == words) return -1;
        if (words) words = *end == ',' ? end + 1 : NULL;
        cmn->sum[index] = 0;
    }
    cmn->nframe = 0;
    return 0;
}

int cps_begin_stream(struct cps_decoder *decoder) {
    return reset_cepstral_mean(decoder) < 0 ? -1 : ps_start_stream(decoder->decoder);
}

int cps_begin_utterance(struct cps_decoder *decoder) { return ps_start_utt(decoder->decoder); }

int cps_process(struct cps_decoder *decoder, const int16_t *samples, size_t count) {
    return ps_process_raw(decoder->decoder, samples, count, 0, 0);
}

int cps_is_in_speech(struct cps_decoder *decoder) { return ps_get_in_speech(decoder->decoder); }

int cps_end_utterance(struct cps_decoder *decoder) { return ps_end_utt(decoder->decoder); }

void cps_visit_words(struct cps_decoder *decoder, cps_word_visitor visitor, void *context) {
    for (ps_seg_t *segment = ps_seg_iter(decoder->decoder); segment; segment = ps_seg_next(segment)) {
        int first = 0, last = 0;
        ps_seg_frames(segment, &first, &last);
        visitor(context, ps_seg_word(segment), first, last);
    }
}
