#ifndef FREEZE_PROFILE_CPOCKETSPHINX_H
#define FREEZE_PROFILE_CPOCKETSPHINX_H

#include <stddef.h>
#include <stdint.h>

// The few calls of PocketSphinx that turn a stream of samples into words. A shim, because its configuration is a
// variadic function, its logger takes a variadic callback, and its headers need include paths that Swift's importers
// of this module would have to repeat.

/// A loaded speech decoder.
struct cps_decoder;

/// Loads a decoder: an acoustic model's directory, a language model and a pronouncing dictionary. Returns null when
/// that fails; `cps_error` then says why.
struct cps_decoder *_Nullable cps_open(
    const char *_Nonnull acoustic_model, const char *_Nonnull language_model, const char *_Nonnull dictionary);
void cps_close(struct cps_decoder *_Nonnull decoder);

/// Forgets the noise level and the cepstral mean of the audio before: what follows is another recording, and is recognised
/// as if it were the first. Returns 0, or -1.
int cps_begin_stream(struct cps_decoder *_Nonnull decoder);
/// Begins an utterance. Returns 0, or -1.
int cps_begin_utterance(struct cps_decoder *_Nonnull decoder);
/// Decodes 16-bit mono samples at 16 kHz. Returns the number of frames searched, or -1.
int cps_process(struct cps_decoder *_Nonnull decoder, const int16_t *_Nonnull samples, size_t count);
/// Whether the last samples belonged to speech, by the decoder's own voice detector.
int cps_is_in_speech(struct cps_decoder *_Nonnull decoder);
/// Ends an utterance. Returns 0, or -1.
int cps_end_utterance(struct cps_decoder *_Nonnull decoder);

/// Takes a word of the best path with its first and last frame, of 10 ms each.
typedef void (*cps_word_visitor)(void *_Nullable context, const char *_Nonnull word, int first_frame, int last_frame);
/// Visits the words of the utterance that has ended, in order, silences and noises included.
void cps_visit_words(struct cps_decoder *_Nonnull decoder, cps_word_visitor _Nonnull visitor, void *_Nullable context);

/// The last error or fatal message of the calling thread's PocketSphinx calls, empty when there was none.
const char *_Nonnull cps_error(void);

#endif
