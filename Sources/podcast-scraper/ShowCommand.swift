internal import CommandLineTool
internal import LinuxSystem
internal import Measurement
internal import PodcastPipeline

/// `podcast-scraper show`: an episode's summary, insights and transcript.
enum ShowCommand {
    static let syntax = CommandSyntax(
        name: "podcast-scraper show",
        summary: "Print an episode: who speaks, its summary, its insights with their times, its transcript.",
        operands: .named(["EPISODE"], required: 1),
        options: [
            .value("output-dir", "DIR", "where podcast-scraper has written (default: the working directory)")
        ],
        examples: [
            (
                "podcast-scraper show amiable --output-dir out",
                "the episode with that word in its title or file name"
            )
        ],
        notes: [
            "EPISODE is a part of the title or of the file name; it has to mean one episode.",
            "Exit codes: 0 printed, 64 wrong usage, 66 no such episode.",
        ])

    static func run(_ parsed: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let wanted = parsed.operands[0]
        var found: [EpisodeOverview] = []
        for directory in try CorpusDirectories.of(parsed) {
            do throws(PipelineFailure) {
                found += try EpisodeOverview.all(in: directory).filter { $0.matches(wanted) }
            } catch {
                throw ToolFailure(error.message, .noInput)
            }
        }
        let exact = found.filter { $0.fileName == wanted }
        if exact.count == 1 { found = exact }
        guard let episode = found.first else {
            throw ToolFailure("There is no episode '\(PlainText.sanitized(wanted))' here.", .noInput)
        }
        guard found.count == 1 else {
            let names = found.prefix(10).map(\.fileName).joined(separator: ", ")
            throw ToolFailure(
                "'\(PlainText.sanitized(wanted))' means \(found.count) episodes: \(names). Give one of these names.",
                .usage)
        }
        do throws(PipelineFailure) {
            Console.print(try episode.text())
        } catch {
            throw ToolFailure(error.message, .noInput)
        }
        return .success
    }
}
