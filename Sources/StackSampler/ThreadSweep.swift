/// The order in which the target's threads are looked at, turn by turn.
///
/// Looking at a thread costs some microseconds even where it only waits. With thousands of them a turn would take longer
/// than the time between two moments of the schedule, and the threads that work would miss theirs. So those that work are
/// looked at in each turn. The others follow, from where the turn before ended, as long as there is time; the moments in
/// between are counted when their turn comes.
struct ThreadSweep {
    /// In the order of their identifiers.
    private var threads: [WatchedThread] = []
    /// The place of the first waiting thread to look at.
    private var cursor = 0
    /// How long a turn looks at waiting threads.
    let budget: Int64

    /// - Parameter periodNanoseconds: The mean time between two moments, of which half may be used for looking.
    init(periodNanoseconds: Int64) { budget = periodNanoseconds / 2 }

    /// Takes over which threads there are.
    mutating func update(_ threads: [WatchedThread]) {
        self.threads = threads.sorted { $0.threadID < $1.threadID }
        if cursor >= threads.count { cursor = 0 }
    }

    /// Adds moments of the schedule to every thread, or to those alone that worked when they were last looked at.
    func add(_ moments: Int32, toResting: Bool) {
        for thread in threads where toResting || !thread.isResting {
            thread.due = Int32(clamping: Int64(thread.due) + Int64(moments))
        }
    }

    /// The threads that were not resting when they were last looked at.
    var working: [WatchedThread] { threads.filter { !$0.isResting } }

    /// The next thread that rests, or has never been looked at; nil when all have had their turn since `start`.
    mutating func nextResting(since start: inout Int?) -> WatchedThread? {
        while !threads.isEmpty, cursor != start {
            start = start ?? cursor
            let thread = threads[cursor]
            cursor = (cursor + 1) % threads.count
            if thread.isResting { return thread }
        }
        return nil
    }
}
