internal import CommandLineTool
internal import JSONDocument
internal import LinuxSystem
internal import Measurement
internal import PodcastPipeline

/// `podcast-scraper search`: what was said, with episode and time.
enum SearchCommand {
    static let syntax = CommandSyntax(
        name: "podcast-scraper search",
        summary: "Find what was said, with the quote, the episode and the time.",
        operands: .named(["QUERY..."], required: 1),
        options: [
            .value("output-dir", "DIR", "where podcast-scraper has written (default: the working directory)"),
            .value("limit", "N", "how many answers (default: 5)"),
            .flag("json", "print JSON"),
        ],
        examples: [
            ("podcast-scraper search had he married --output-dir out", "the second at which it is said")
        ],
        notes: ["Exit codes: 0 found, 4 nothing was found, 64 wrong usage, 66 there is no index."])

    static func run(_ parsed: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let limit = try Self.limit(parsed)
        let query = parsed.operands.joined(separator: " ")
        var hits: [SearchIndex.Hit] = []
        for directory in try CorpusDirectories.of(parsed) {
            do throws(SearchIndex.Problem) {
                hits += try SearchIndex.search(query, in: directory, limit: limit)
            } catch {
                throw ToolFailure(error.message, .noInput)
            }
        }
        // Several feeds have an index each; their scores are made the same way.
        let best = hits.enumerated().sorted { ($0.element.score, $1.offset) > ($1.element.score, $0.offset) }
            .prefix(limit).map(\.element)
        if parsed.has("json") {
            let items = best.map { hit in
                JSONText.object([
                    ("title", hit.title.asJSON), ("file_name", hit.fileName.asJSON),
                    ("seconds", JSONText.number(hit.seconds, decimals: 2)),
                    ("speaker", hit.speaker.isEmpty ? nil : hit.speaker.asJSON), ("text", hit.text.asJSON),
                    ("score", JSONText.number(hit.score)),
                ])
            }
            Console.print("{\"hits\": \(JSONText.lines(items))}")
        } else {
            for hit in best {
                let speaker = hit.speaker.isEmpty ? "" : "\(PlainText.sanitized(hit.speaker)): "
                Console.print(
                    "\(hit.seconds.clock)  \(PlainText.sanitized(hit.title, maximumCharacters: 60))  [\(hit.fileName)]\n"
                        + "    \(speaker)\(PlainText.sanitized(hit.text, maximumCharacters: 400))")
            }
            if best.isEmpty {
                Console.note("\(syntax.name): Nothing was found for '\(PlainText.sanitized(query))'.")
            }
        }
        return best.isEmpty ? .failed : .success
    }

    private static func limit(_ parsed: ParsedArguments) throws(ToolFailure) -> Int {
        guard let text = parsed.value("limit") else { return 5 }
        guard let limit = Int(text), (1...1000).contains(limit) else {
            throw ToolFailure(
                "The option '--limit' needs a whole number from 1 to 1000, not '\(PlainText.sanitized(text))'.",
                .usage)
        }
        return limit
    }
}

/// The directories of feeds below an output directory: itself, or with several feeds those in `feeds/`.
enum CorpusDirectories {
    static func of(_ parsed: ParsedArguments) throws(ToolFailure) -> [String] {
        let directory = parsed.value("output-dir") ?? "."
        guard Files.isDirectory(directory + "/feeds") else { return [directory] }
        do throws(SystemError) {
            let names = try Files.names(inDirectory: directory + "/feeds")
            return names.map { "\(directory)/feeds/\($0)" }.filter {
                Files.exists($0 + "/index/search.sqlite")
            }
        } catch {
            throw ToolFailure(PlainText.sanitized("\(error)"), .noInput)
        }
    }
}

extension Double {
    /// A moment of an episode: `0:17.49`, `1:02:03.50`.
    var clock: String {
        let whole = Int64(self)
        let rest = (self - Double(whole)).fixed(2).dropFirst()
        let seconds = (whole % 60).zeroPadded(to: 2)
        let minutes = whole / 60 % 60
        return whole >= 3600
            ? "\(whole / 3600):\(minutes.zeroPadded(to: 2)):\(seconds)\(rest)"
            : "\(minutes):\(seconds)\(rest)"
    }
}
