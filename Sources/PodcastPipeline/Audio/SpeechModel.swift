internal import LinuxSystem
internal import Measurement

/// The files of a PocketSphinx model, as Debian lays them out.
struct SpeechModel: Sendable {
    /// Where Debian's pocketsphinx-en-us puts its model.
    static let defaultDirectory = "/usr/share/pocketsphinx/model/en-us"

    var acousticModel: String
    var languageModel: String
    var dictionary: String

    /// The model in a directory, when its files are there. PocketSphinx ends the process over some that are not.
    init(directory: String) throws(PipelineFailure) {
        acousticModel = directory + "/en-us"
        languageModel = directory + "/en-us.lm.bin"
        dictionary = directory + "/cmudict-en-us.dict"
        let files =
            ["mdef", "means", "variances", "transition_matrices", "feat.params"].map {
                "\(acousticModel)/\($0)"
            }
            + [languageModel, dictionary]
        if let missing = files.first(where: { !Files.isRegularFile($0) }) {
            throw PipelineFailure(
                .input,
                "There is no speech model in '\(PlainText.sanitized(directory))': '\(PlainText.sanitized(missing))' is "
                    + "missing. Install the Debian package pocketsphinx-en-us, or name a model with --model-dir."
            )
        }
    }
}

extension SpeechModel {
    /// By which two models are distinguished: the sizes of their files. Their contents are too long to read at each start.
    var fingerprint: String {
        let sizes = [acousticModel + "/mdef", acousticModel + "/means", languageModel, dictionary].map {
            path in
            do throws(SystemError) { return String(try Files.size(path)) } catch { return "?" }
        }
        return "pocketsphinx " + sizes.joined(separator: " ")
    }
}
