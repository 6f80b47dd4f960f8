internal import CPocketSphinx
internal import Measurement

/// A word as the decoder names it: with silences (`<sil>`), noises (`[NOISE]`) and variants (`read(2)`).
struct DecodedWord: Equatable, Sendable {
    var text: String
    /// Its first and its last frame, of 10 ms each, counted from the beginning of the recording.
    var firstFrame: Int
    var lastFrame: Int
}

/// A loaded PocketSphinx decoder, freed when its owner is gone.
struct SpeechDecoder: ~Copyable {
    private let handle: OpaquePointer

    /// Loads a model: about 0.3 s and 100 MB.
    init(model: SpeechModel) throws(PipelineFailure) {
        guard let handle = cps_open(model.acousticModel, model.languageModel, model.dictionary) else {
            throw PipelineFailure(
                .input,
                "PocketSphinx cannot load the speech model in '\(PlainText.sanitized(model.acousticModel))': "
                    + "\(Self.lastError). Install the Debian package pocketsphinx-en-us again, or name another "
                    + "model with --model-dir.")
        }
        self.handle = handle
    }

    deinit {
        cps_close(handle)
    }

    /// Forgets the noise level of the recording before.
    mutating func beginRecording() throws(StageFailure) {
        try check(cps_begin_stream(handle), "begin a recording")
    }

    /// Begins an utterance.
    mutating func begin() throws(StageFailure) {
        try check(cps_begin_utterance(handle), "begin an utterance")
    }

    /// Decodes the next samples of the utterance.
    mutating func process(_ samples: [Int16]) throws(StageFailure) {
        try check(cps_process(handle, samples, samples.count), "decode audio")
    }

    /// Whether the last samples belonged to speech.
    var isInSpeech: Bool { cps_is_in_speech(handle) != 0 }

    /// Ends the utterance. Returns the words of its best path, silences and noises included.
    mutating func end() throws(StageFailure) -> [DecodedWord] {
        try check(cps_end_utterance(handle), "end an utterance")
        let collected = WordList()
        cps_visit_words(
            handle,
            { list, word, first, last in
                guard let list else { return }
                let decoded = DecodedWord(
                    text: String(cString: word), firstFrame: Int(first), lastFrame: Int(last))
                Unmanaged<WordList>.fromOpaque(list).takeUnretainedValue().words.append(decoded)
            }, Unmanaged.passUnretained(collected).toOpaque())
        return collected.words
    }

    private static var lastError: String {
        let text = PlainText.sanitized(String(cString: cps_error()), maximumCharacters: 300)
        return text.isEmpty ? "it gave no reason" : text
    }

    private func check(_ result: Int32, _ action: String) throws(StageFailure) {
        guard result >= 0 else { throw .episode("PocketSphinx cannot \(action): \(Self.lastError).") }
    }
}

private final class WordList {
    var words: [DecodedWord] = []
}
