/// Which event may count for which thread.
///
/// While we attach, a thread may be created by one that is watched already: it then has an inherited event and, once
/// we see it in the list, one of its own. Only its own counts. Events that take the place of others are a generation of
/// their own: what is still on its way from the earlier ones counts as it did, up to the moment of the change.
final class EventOwnership {
    private struct Generation {
        var threadOfEvent: [UInt64: Int32] = [:]
        var watched: Set<Int32> = []
        /// The last moment of which samples count, on the monotonic clock.
        var end = UInt64.max
    }

    private var generations = [Generation()]
    private var generationOfEvent: [UInt64: Int] = [:]

    func remember(identifier: UInt64, threadID: Int32) {
        let last = generations.count - 1
        generations[last].threadOfEvent[identifier] = threadID
        generations[last].watched.insert(threadID)
        generationOfEvent[identifier] = last
    }

    /// Whether an event is one of those that are remembered.
    func knows(_ identifier: UInt64) -> Bool { generationOfEvent[identifier] != nil }
    /// The events that are remembered.
    var identifiers: Set<UInt64> { Set(generationOfEvent.keys) }

    /// Ends a thread: its identifier may come again, with inherited events only.
    func forget(_ threadID: Int32) {
        for index in generations.indices { generations[index].watched.remove(threadID) }
    }

    /// What is remembered from here on is of events that take the place of the earlier ones.
    func beginGeneration() { generations.append(Generation()) }

    /// Gives the latest events up again.
    func dropGeneration() {
        generations.removeLast()
        generationOfEvent = generationOfEvent.filter { $0.value < generations.count }
    }

    /// From a moment on only the latest events count.
    func endEarlierGenerations(at time: UInt64) {
        for index in generations.indices.dropLast() {
            generations[index].end = min(generations[index].end, time)
        }
    }

    func counts(identifier: UInt64, threadID: Int32, time: UInt64) -> Bool {
        guard let index = generationOfEvent[identifier] else { return true }
        let generation = generations[index]
        guard time <= generation.end else { return false }
        // With a single watched thread, as after a start under the sampler, nothing can be watched twice.
        if generation.watched.count <= 1 || !generation.watched.contains(threadID) { return true }
        return generation.threadOfEvent[identifier] == threadID
    }
}
