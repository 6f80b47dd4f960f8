internal import LinuxSystem
internal import Measurement
internal import Synchronization

/// Takes many episodes through their stages: one after the other, or overlapped by threads.
///
/// With workers and downloads ahead there are three kinds of threads: one that fetches, the workers that compute, each with a
/// decoder of its own, and the caller's, which waits. Between them is a queue with room for the downloads ahead, so that no
/// more media than these lie on disk. An episode that fails concerns no other; what would fail every episode ends the run.
struct EpisodeRun: Sendable {
    let processor: EpisodeProcessor
    let model: SpeechModel
    let settings: PipelineSettings
    /// Called for each episode when it is done.
    let onDone: @Sendable (EpisodeReport) -> Void

    /// Processes the episodes. The reports come in the order of the tasks.
    func run(_ tasks: [EpisodeTask]) throws(PipelineFailure) -> [EpisodeReport] {
        if tasks.isEmpty { return [] }
        if settings.workers <= 1 && settings.downloadAhead == 0 { return try runInTurn(tasks) }
        let shared = Shared(total: tasks.count, ahead: settings.downloadAhead)
        do throws(SystemError) {
            let fetcher = try Thread("fetch") { fetchAll(tasks, shared) }
            var workers: [Thread] = []
            for number in 0..<min(settings.workers, tasks.count) {
                workers.append(try Thread("work-\(number + 1)") { work(shared) })
            }
            // Threads are joined when they go.
            withExtendedLifetime((fetcher, workers)) {}
        } catch {
            shared.queue.close()
            throw PipelineFailure(.run, "\(error)")
        }
        return try shared.reports()
    }

    private func runInTurn(_ tasks: [EpisodeTask]) throws(PipelineFailure) -> [EpisodeReport] {
        let transcription = Transcription(model: model, shouldStop: settings.shouldStop)
        var reports: [EpisodeReport] = []
        for task in tasks {
            let report = try processor.complete(try processor.fetch(task), transcription: transcription)
            onDone(report)
            reports.append(report)
        }
        return reports
    }

    private func fetchAll(_ tasks: [EpisodeTask], _ shared: Shared) {
        defer { shared.queue.close() }
        for (index, task) in tasks.enumerated() {
            do throws(PipelineFailure) {
                let fetched = try processor.fetch(task)
                if !shared.queue.put((index, fetched)) { return }
            } catch {
                return shared.fail(error)
            }
        }
    }

    private func work(_ shared: Shared) {
        let transcription = Transcription(model: model, shouldStop: settings.shouldStop)
        while let (index, fetched) = shared.queue.take(), !shared.hasFailed {
            do throws(PipelineFailure) {
                let report = try processor.complete(fetched, transcription: transcription)
                onDone(report)
                shared.finish(index, report)
            } catch {
                return shared.fail(error)
            }
        }
    }

    /// What the threads share.
    private final class Shared: Sendable {
        let queue: BoundedQueue<(Int, FetchedEpisode)>
        private let state: Mutex<(reports: [EpisodeReport?], failure: PipelineFailure?)>

        init(total: Int, ahead: Int) {
            queue = BoundedQueue(capacity: ahead)
            state = Mutex(([EpisodeReport?](repeating: nil, count: total), nil))
        }

        var hasFailed: Bool { state.withLock { $0.failure != nil } }

        func finish(_ index: Int, _ report: EpisodeReport) {
            state.withLock { $0.reports[index] = report }
        }

        /// The first failure counts; it ends the queue, and with it the other threads.
        func fail(_ failure: PipelineFailure) {
            state.withLock { if $0.failure == nil { $0.failure = failure } }
            queue.close()
        }

        func reports() throws(PipelineFailure) -> [EpisodeReport] {
            let (reports, failure) = state.withLock { ($0.reports, $0.failure) }
            if let failure { throw failure }
            return reports.compactMap { $0 }
        }
    }

    /// A thread that can be kept in an array; joined when it goes.
    private final class Thread {
        private let thread: DedicatedThread

        init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
            thread = try DedicatedThread.start(name: name, body)
        }
    }
}
