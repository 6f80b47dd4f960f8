import Measurement
import StackProfile
import TestSupport

/// A made-up but likely profile of a pipeline: stages, C++, Swift, Python and system code, unknown and guessed frames.
enum SamplePipeline {
    static func profile() throws -> StackProfile {
        var random = SeededGenerator(seed: 42)
        var builder = StackProfileBuilder(period: .milliseconds(1))
        for stage in stages {
            guard let name = StageName(stage.name) else { continue }
            let labels = SampleLabels(stage: name, thread: "main")
            for _ in 0..<stage.samples {
                var frames = [
                    Frame("_start", module: "podcast-scraper"), Frame("main", module: "podcast-scraper"),
                ]
                frames.append(stage.entry)
                var calls = stage.calls
                while let frame = calls.randomElement(using: &random) {
                    frames.append(frame)
                    calls = calls.drop { $0 != frame }.dropFirst().prefix(4) + []
                }
                try builder.add(frames, weight: .random(in: 1...3, using: &random), labels: labels)
            }
        }
        return builder.build()
    }

    private static func sphinx(_ name: String) -> Frame {
        Frame(name, module: "libpocketsphinx.so.3", file: "src/ngram_search_fwdtree.c")
    }

    private static let app = "podcast-scraper"

    private static let stages: [(name: String, samples: Int, entry: Frame, calls: [Frame])] = [
        (
            "rss_feed_fetch", 60,
            Frame("PodcastPipeline.FeedReader.read(from: Foundation.URL) throws -> Feed", module: app),
            [
                Frame("XML_ParseBuffer", module: "libexpat.so.1"), Frame.unknown(module: "libcurl.so.4"),
                Frame("__poll", module: "libc.so.6"),
            ]
        ),
        (
            "transcription", 900,
            Frame(
                "PodcastPipeline.Transcriber.transcribe(_: AudioFile, into: inout Transcript) async throws -> ()",
                module: app),
            [
                sphinx("ps_process_raw"), sphinx("acmod_process_full_raw"), sphinx("ngram_fwdtree_search"),
                sphinx("hmm_vit_eval_5st_lr"), sphinx("ptm_mgau_frame_eval"), .unknown(),
                Frame("__ieee754_log_fma", module: "libm.so.6"), Frame("_int_malloc", module: "libc.so.6"),
            ]
        ),
        (
            "summarization", 420,
            Frame(
                "std::__1::vector<ggml::Tensor, std::__1::allocator<ggml::Tensor> >::push_back(ggml::Tensor const&)",
                module: "libsummary.so"),
            [
                Frame(
                    "ggml::compute_forward_mul_mat<float, half>(ggml::Params const*, ggml::Tensor*)",
                    module: "libsummary.so"),
                Frame("operator new(unsigned long)", module: "libstdc++.so.6"),
                Frame("ggml::Graph::node(int)", module: "libsummary.so", traits: .guessed),
                Frame.truncationMarker, Frame("run_model", file: "summary/model.py", line: 211),
                Frame("<module>", file: "summary/run.py", line: 3), Frame("memcpy_erms_[k]"),
            ]
        ),
        (
            "vector_indexing", 90, Frame("sqlite3_step", module: "libsqlite3.so.0"),
            [Frame("sqlite3VdbeExec", module: "libsqlite3.so.0"), Frame("pread64", module: "libc.so.6")]
        ),
    ]
}
