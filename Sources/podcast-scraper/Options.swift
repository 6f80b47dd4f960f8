internal import CommandLineTool
internal import Measurement
internal import PodcastPipeline

/// What `podcast-scraper` was asked to do: by its command line, before a configuration file is read.
struct Options: Equatable {
    var feedURL: String?
    var outputDirectory: String?
    var maximumEpisodes: Int?
    var monitor = false
    var monitorPane = false
    var memray = false
    var memrayOutput: String?
    var configurationFile: String?
    var modelDirectory: String?

    /// The pipeline's own version, kept in step with CHANGELOG.md.
    static let version = "0.1.0"

    static let syntax = CommandSyntax(
        name: "podcast-scraper",
        summary: "Transcribe and summarise the episodes of a podcast.",
        operands: .named(["FEED_URL"], required: 0),
        options: [
            .value("output-dir", "DIR", "where results are written; PIPELINE_OUTPUT_DIR when not given"),
            .value("max-episodes", "N", "process only the first N episodes of the feed"),
            .value(
                "model-dir", "DIR",
                "a PocketSphinx model (default: \(PipelineSettings.defaultModelDirectory))"),
            .value(
                "config", "FILE",
                "YAML with rss, output_dir, max_episodes, monitor, memray, model_dir; options win"),
            .flag("monitor", "watch the run live: stage, memory and CPU"),
            .flag("monitor-pane", "the same in a tmux pane of its own"),
            .flag("memray", "capture the heap, by heaptrack: memray knows only Python"),
            .value("memray-output", "FILE", "the heap's file (default: in DIR/debug); implies --memray"),
        ],
        examples: [
            (
                "podcast-scraper https://example.org/feed.xml --output-dir out --max-episodes 2",
                "transcribe the two newest episodes of a feed"
            ),
            (
                "loopback-feed data/feeds/sense-and-sensibility -- podcast-scraper {feed_url} --output-dir .demo",
                "try it without a network"
            ),
        ],
        notes: [
            "Writes transcripts/, summaries/, index/segments.json and metrics.json in the output directory, and "
                + "prints the path of metrics.json.",
            "Exit codes: 0 all episodes processed, 4 an episode failed (the others are written) or the run could not "
                + "go on, 64 wrong usage, 66 no feed, no model or no configuration, 73 the output cannot be written.",
        ])

    /// The options in a parsed command line.
    init(_ parsed: ParsedArguments) throws(ToolFailure) {
        feedURL = parsed.operands.first
        outputDirectory = parsed.value("output-dir")
        modelDirectory = parsed.value("model-dir")
        configurationFile = parsed.value("config")
        monitorPane = parsed.has("monitor-pane")
        monitor = parsed.has("monitor") || monitorPane
        memrayOutput = parsed.value("memray-output")
        memray = parsed.has("memray") || memrayOutput != nil
        if let text = parsed.value("max-episodes") {
            guard let count = Int(text), count > 0 else {
                throw ToolFailure(
                    "The option '--max-episodes' needs a whole number above zero, not '\(PlainText.sanitized(text))'.",
                    .usage)
            }
            maximumEpisodes = count
        }
    }
}
