internal import CommandLineTool
internal import JSONDocument
internal import LinuxSystem
internal import Measurement
internal import PodcastPipeline
internal import Synchronization

/// A run over several feeds: a directory, a status file and a monitor for each, a manifest and figures for all.
struct CorpusRun {
    private let request: RunRequest
    private let log: RunLog
    private let feeds: [FeedDirectory]

    init(_ request: RunRequest, _ log: RunLog) {
        self.request = request
        self.log = log
        feeds = request.feedURLs.map { FeedDirectory(url: $0, corpus: request.settings.outputDirectory) }
    }

    /// Runs all feeds. One that fails is reported, and the others go on.
    func run() throws(ToolFailure) -> RunResult {
        let results = Mutex<[Int: Result<PodcastPipeline.Outcome, ToolFailure>]>([:])
        let queue = BoundedQueue<Int>(capacity: feeds.count)
        for index in feeds.indices { _ = queue.put(index) }
        queue.close()
        let work: @Sendable () -> Void = { [request, log, feeds] in
            while let index = queue.take() {
                let result = Self.run(feeds[index], request, log)
                results.withLock { $0[index] = result }
            }
        }
        do throws(SystemError) {
            var threads: [Helper] = []
            for number in 1..<max(1, min(request.feedsParallel, feeds.count)) {
                threads.append(try Helper("feed-\(number)", work))
            }
            work()
            // Joined when they go.
            withExtendedLifetime(threads) {}
        } catch {
            throw ToolFailure("\(error)", .failed)
        }
        return try finish(
            feeds.indices.map { index in
                (
                    feeds[index],
                    results.withLock { $0[index] } ?? .failure(ToolFailure("It was not run.", .failed))
                )
            })
    }

    private static func run(
        _ feed: FeedDirectory, _ request: RunRequest, _ log: RunLog
    ) -> Result<PodcastPipeline.Outcome, ToolFailure> {
        var settings = request.settings
        settings.feedURL = feed.url
        settings.outputDirectory = feed.path
        do throws(ToolFailure) {
            return .success(try runFeed(request, settings: settings, log: log, feed: feed.identifier))
        } catch {
            log.tell(RunMessage(error.message, isProblem: true), feed: feed.identifier) { Console.note($0) }
            return .failure(error)
        }
    }

    private func finish(
        _ results: [(FeedDirectory, Result<PodcastPipeline.Outcome, ToolFailure>)]
    ) throws(ToolFailure) -> RunResult {
        if request.settings.isDryRun { return RunResult(metricsPath: nil, summary: "", failures: []) }
        var failures: [ExitCode] = []
        var entries: [String] = []
        var (processed, failed) = (0, 0)
        for (feed, result) in results {
            var members: [(String, String?)] = [
                ("feed_id", feed.identifier.asJSON), ("address", WebAddress.shown(feed.url).asJSON),
                ("directory", "feeds/\(feed.identifier)".asJSON),
            ]
            switch result {
            case .success(let outcome):
                processed += outcome.episodes.count - outcome.failed.count
                failed += outcome.failed.count
                if !outcome.failed.isEmpty { failures.append(.failed) }
                members += [
                    ("title", outcome.feedTitle.asJSON), ("episodes", "\(outcome.episodes.count)"),
                    ("episodes_failed", "\(outcome.failed.count)"),
                    ("metrics", "feeds/\(feed.identifier)/metrics.json".asJSON),
                ]
            case .failure(let failure):
                failures.append(failure.exitCode)
                members.append(("failure", failure.message.asJSON))
            }
            entries.append(JSONText.object(members))
        }
        let path = request.settings.outputDirectory + "/corpus.json"
        let text =
            "{\n  \"schema_version\": 1, \"episodes_processed\": \(processed), \"episodes_failed\": \(failed),\n"
            + "  \"feeds\": \(JSONText.lines(entries))\n}\n"
        do throws(SystemError) {
            try Files.createDirectories(request.settings.outputDirectory)
            try Files.replace(path, with: text)
        } catch {
            throw ToolFailure(PlainText.sanitized("\(error)"), .cannotWrite)
        }
        return RunResult(
            metricsPath: path, summary: sentence(results, processed: processed, failed: failed),
            failures: failures)
    }

    private func sentence(
        _ results: [(FeedDirectory, Result<PodcastPipeline.Outcome, ToolFailure>)], processed: Int,
        failed: Int
    ) -> String {
        let lost = results.filter { if case .failure = $0.1 { true } else { false } }.count
        if lost == 0 && failed == 0 { return "All \(processed) episodes of \(results.count) feeds are done." }
        return
            "\(lost) of \(results.count) feeds and \(failed) of \(processed + failed) episodes failed; the reasons are above."
    }
}

/// A feed of a corpus and its directory.
private struct FeedDirectory: Sendable {
    let url: String
    /// Its host and the beginning of the digest of its address, which may hold a key.
    let identifier: String
    let path: String

    init(url: String, corpus: String) {
        self.url = url
        identifier = EpisodeIdentity(key: url).name(of: WebAddress.host(of: url))
        path = "\(corpus)/feeds/\(identifier)"
    }
}

/// A thread that can be kept in an array; joined when it goes.
private final class Helper {
    private let thread: DedicatedThread

    init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        thread = try DedicatedThread.start(name: name, body)
    }
}
