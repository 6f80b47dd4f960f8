internal import CommandLineTool
internal import Measurement
internal import PodcastPipeline

/// What `podcast-scraper` was asked to do: by its command line, before a configuration file is read. The options that a
/// configuration file may hold too are kept as such a configuration.
struct Options: Equatable {
    var given = PipelineConfiguration()
    var monitorPane = false
    var configurationFile: String?

    /// The pipeline's own version.
    static let version = PackageVersion.current

    static let syntax = CommandSyntax(
        name: "podcast-scraper",
        summary: "Transcribe, summarise and index the episodes of podcasts.",
        operands: .named(["FEED_URL..."], required: 0),
        options: [
            .value("output-dir", "DIR", "where results are written; PIPELINE_OUTPUT_DIR when not given"),
            .value("max-episodes", "N", "process N episodes at most"),
            .value("order", "ORDER", "which come first: feed (as in the feed), newest, oldest")
                .among(EpisodeSelection.Order.allCases.map(\.rawValue)),
            .value("offset", "N", "leave out the first N episodes"),
            .value("since", "DAY", "only episodes published on that day (UTC) or later"),
            .value("until", "DAY", "only episodes published before that day"),
            .flag("dry-run", "list the episodes, and process none"),
            .flag("resume", "go on where an earlier run has ended; this is the default"),
            .flag("no-resume", "do all episodes again"),
            .flag("skip-existing", "keep finished episodes even if their audio or the settings have changed"),
            .value("workers", "N", "threads that transcribe, each with 100 MB (default: 1)"),
            .value("download-ahead", "N", "fetch N episodes before they are needed (default: 0)"),
            .value("feeds-parallel", "N", "feeds at a time (default: 1)"),
            .value("retries", "N", "how often a request that fails in passing is made again (default: 3)"),
            .value("max-media-mb", "N", "give a download up that is longer than N MiB (default: 1024)"),
            .value("media-timeout", "SECONDS", "give a download up after that time (default: 3600)"),
            .value(
                "transcripts", "USE", "what the feed offers: prefer (default), or ignore it and transcribe"
            ).among(TranscriptUse.allCases.map(\.rawValue)),
            .value(
                "preset", "NAME",
                "how audio is prepared: plain (default), or speech: rumble removed, loudness evened out"
            ).among(AudioPreset.allCases.map(\.rawValue)),
            .value(
                "model-dir", "DIR",
                "a PocketSphinx model (default: \(PipelineSettings.defaultModelDirectory))"),
            .flag("allow-local", "fetch from this machine and from private networks too"),
            .value("config", "FILE", "YAML with these options, underscores in their names; options win"),
            .flag("monitor", "watch the run live: stage, memory and CPU"),
            .flag("monitor-pane", "the same in a tmux pane of its own"),
            .flag("memray", "capture the heap, by heaptrack: memray knows only Python"),
            .value("memray-output", "FILE", "the heap's file (default: in DIR/debug); implies --memray"),
            .value("log-file", "FILE", "also write messages to a file"),
            .value("log-format", "FORMAT", "of the log file: text (default) or json, one object a line")
                .among(["text", "json"]),
            .flag("quiet", "print only failures"),
        ],
        examples: [
            (
                "podcast-scraper https://example.org/feed.xml --output-dir out --max-episodes 2",
                "transcribe the two newest episodes of a feed"
            ),
            ("podcast-scraper search 'had he married' --output-dir out", "find what was said"),
            (
                "loopback-feed data/feeds/sense-and-sensibility -- podcast-scraper {feed_url} --output-dir .demo",
                "try it without a network"
            ),
        ],
        notes: [
            "Writes transcripts/, summaries/, insights/, graphs/, episodes/, index/search.sqlite and metrics.json in the output "
                + "directory, and prints the path of metrics.json. Several feeds get a directory each in feeds/.",
            "Further commands: 'podcast-scraper search', 'show' and 'service'; each has a --help.",
            "Exit codes: 0 all episodes processed, 4 an episode failed (the others are written) or the run could not "
                + "go on, 64 wrong usage, 66 no feed, no model or no configuration, 73 the output cannot be written, or "
                + "another run is writing there.",
        ])

    /// Whatever a configuration file says.
    init(configurationFile: String) {
        self.configurationFile = configurationFile
    }

    /// The options in a parsed command line.
    init(_ parsed: ParsedArguments) throws(ToolFailure) {
        given.feedURLs = parsed.operands
        given.outputDirectory = parsed.value("output-dir")
        given.modelDirectory = parsed.value("model-dir")
        configurationFile = parsed.value("config")
        monitorPane = parsed.has("monitor-pane")
        given.monitor = parsed.has("monitor") || monitorPane ? true : nil
        given.memrayOutput = parsed.value("memray-output")
        given.memray = parsed.has("memray") || given.memrayOutput != nil ? true : nil
        given.isDryRun = parsed.has("dry-run") ? true : nil
        given.allowsLocal = parsed.has("allow-local") ? true : nil
        given.isQuiet = parsed.has("quiet") ? true : nil
        given.logFile = parsed.value("log-file")
        given.maximumEpisodes = try Self.count(parsed, "max-episodes", from: 1)
        given.offset = try Self.count(parsed, "offset", from: 0)
        given.workers = try Self.count(parsed, "workers", from: 1)
        given.downloadAhead = try Self.count(parsed, "download-ahead", from: 0)
        given.feedsParallel = try Self.count(parsed, "feeds-parallel", from: 1)
        given.retries = try Self.count(parsed, "retries", from: 0)
        given.maximumMediaMB = try Self.count(parsed, "max-media-mb", from: 1)
        given.mediaTimeout = try Self.count(parsed, "media-timeout", from: 1)
        given.since = try Self.moment(parsed, "since")
        given.until = try Self.moment(parsed, "until")
        given.order = try Self.choice(parsed, "order")
        given.transcripts = try Self.choice(parsed, "transcripts")
        given.preset = try Self.choice(parsed, "preset")
        given.logFormat = try Self.word(parsed, "log-format", among: ["text", "json"])
        given.resumption = try Self.resumption(parsed)
    }

    private static func resumption(_ parsed: ParsedArguments) throws(ToolFailure) -> Resumption? {
        let given = ["resume", "no-resume", "skip-existing"].filter(parsed.has)
        guard given.count < 2 else {
            throw ToolFailure(
                "The options '--\(given[0])' and '--\(given[1])' contradict each other.", .usage)
        }
        return switch given.first {
        case "resume": .resume
        case "no-resume": .fresh
        case "skip-existing": .skipExisting
        default: nil
        }
    }

    private static func count(_ parsed: ParsedArguments, _ name: String, from least: Int) throws(ToolFailure)
        -> Int?
    {
        guard let text = parsed.value(name) else { return nil }
        guard let count = Int(text), count >= least, count <= 1_000_000 else {
            let wanted = least == 1 ? "a whole number above zero" : "a whole number, zero or more"
            throw ToolFailure(
                "The option '--\(name)' needs \(wanted), not '\(PlainText.sanitized(text))'.", .usage)
        }
        return count
    }

    private static func moment(_ parsed: ParsedArguments, _ name: String) throws(ToolFailure) -> Timestamp? {
        guard let text = parsed.value(name) else { return nil }
        guard let moment = EpisodeSelection.moment(text) else {
            throw ToolFailure(
                "The option '--\(name)' needs a day such as 2026-02-03, not '\(PlainText.sanitized(text))'.",
                .usage)
        }
        return moment
    }

    private static func word(
        _ parsed: ParsedArguments, _ name: String, among words: [String]
    ) throws(ToolFailure) -> String? {
        guard let text = parsed.value(name) else { return nil }
        guard words.contains(text) else {
            let nearest = NearestName.to(text, among: words).map { " Did you mean '\($0)'?" } ?? ""
            throw ToolFailure(
                "The option '--\(name)' needs one of \(words.joined(separator: ", ")), not "
                    + "'\(PlainText.sanitized(text))'.\(nearest)", .usage)
        }
        return text
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ parsed: ParsedArguments, _ name: String
    ) throws(ToolFailure) -> Choice? where Choice.RawValue == String {
        try word(parsed, name, among: Choice.allCases.map(\.rawValue)).flatMap { Choice(rawValue: $0) }
    }
}
