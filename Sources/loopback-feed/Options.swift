internal import CommandLineTool

/// What `loopback-feed` was asked to do.
struct Options: Equatable {
    /// The directory that is served.
    var directory: String
    /// The command and its arguments, placeholders not yet replaced.
    var command: [String]

    /// Where the command learns the feed's address, besides `{feed_url}` in its own words.
    static let feedVariable = "LOOPBACK_FEED_URL"

    static let syntax = CommandSyntax(
        name: "loopback-feed",
        summary: "Serve a directory on 127.0.0.1 while a command runs, and pass its exit code on.",
        operands: .named(["DIRECTORY -- COMMAND..."], required: 1),
        examples: [
            (
                "loopback-feed data/feeds/sense-and-sensibility -- podcast-scraper {feed_url} --output-dir .demo",
                "run the pipeline on the feed in this repository"
            )
        ],
        notes: [
            "The feed is DIRECTORY/feed.xml. In the command's words {feed_url} becomes "
                + "http://127.0.0.1:PORT/feed.xml; \(feedVariable) is set to the same address.",
            "Exit codes: the command's own (128 and the signal's number when a signal ended it), 64 wrong usage, "
                + "66 no such directory or command, 4 the server could not be started.",
        ])

    /// The options in a command line, the program's name left out.
    static func parse(_ words: [String]) throws(CommandSyntax.UsageError) -> Options {
        let before = words.prefix { $0 != "--" }
        let parsed = try syntax.parse(Array(before))
        let command = Array(words.dropFirst(before.count + 1))
        guard !command.isEmpty else { throw .wrong("There is no command to run. Put it after '--'.") }
        return Options(directory: parsed.operands[0], command: command)
    }

    /// The command with `{feed_url}` replaced.
    func command(feedURL: String) -> [String] {
        command.map { word in
            word.split(separator: "{feed_url}", omittingEmptySubsequences: false).joined(separator: feedURL)
        }
    }
}
