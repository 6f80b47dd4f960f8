internal import LinuxSystem

/// Decodes audio as a stream, one utterance after the other, so that memory does not grow with its length.
final class Transcription {
    private let model: SpeechModel
    /// Loaded by the first episode that is transcribed.
    private var decoder: SpeechDecoder?

    /// A tenth of a second: the decoder's voice detector is asked after each.
    private static let samplesPerPart = AudioPreprocessing.sampleRate / 10
    /// Speech without a pause is cut after so long, because the decoder's lattice grows with an utterance.
    private static let maximumPartsPerUtterance = 600

    private let shouldStop: StopRequest

    init(model: SpeechModel, shouldStop: StopRequest) {
        self.model = model
        self.shouldStop = shouldStop
    }

    /// The utterances in a file of 16 kHz mono samples, each the words that the decoder heard between two pauses.
    func utterances(in path: String) throws(StageFailure) -> [[DecodedWord]] {
        if decoder == nil {
            do throws(PipelineFailure) {
                decoder = try SpeechDecoder(model: model)
            } catch {
                throw .run(error)
            }
        }
        let file: FileDescriptor
        do throws(SystemError) {
            file = try FileDescriptor.open(path, .read)
        } catch {
            throw .episode("\(error)")
        }
        return try decode(file)
    }

    private func decode(_ file: borrowing FileDescriptor) throws(StageFailure) -> [[DecodedWord]] {
        var utterances: [[DecodedWord]] = []
        var partsOfSpeech = 0
        try decoder?.beginRecording()
        try decoder?.begin()
        while let samples = try nextSamples(of: file) {
            try decoder?.process(samples)
            let isInSpeech = decoder?.isInSpeech ?? false
            let isEndOfSpeech = partsOfSpeech > 0 && !isInSpeech
            partsOfSpeech = isInSpeech ? partsOfSpeech + 1 : 0
            guard isEndOfSpeech || partsOfSpeech == Self.maximumPartsPerUtterance else { continue }
            utterances.append(try decoder?.end() ?? [])
            partsOfSpeech = 0
            if shouldStop.isMade {
                throw .run(
                    PipelineFailure(.run, "The run was ended early. The same command goes on where it was."))
            }
            try decoder?.begin()
        }
        utterances.append(try decoder?.end() ?? [])
        return utterances
    }

    private func nextSamples(of file: borrowing FileDescriptor) throws(StageFailure) -> [Int16]? {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try file.read(upTo: Self.samplesPerPart * 2)
        } catch {
            throw .episode("\(error)")
        }
        guard bytes.count >= 2 else { return nil }
        return bytes.withUnsafeBytes { raw in
            (0..<raw.count / 2).map {
                Int16(littleEndian: raw.loadUnaligned(fromByteOffset: 2 * $0, as: Int16.self))
            }
        }
    }
}
