internal import LinuxSystem
internal import Measurement

/// Drains the rings until asked to stop. Used by one thread at a time.
final class SamplerLoop: SamplingLoop {
    private let events: PerfEventSet
    private let collector: SampleCollector
    private let root: Int32
    private var window: StackWindow
    private var trialEnd = SystemClock.monotonicNanoseconds + longestTrial.inNanoseconds
    private var cpu: Duration
    private var nextComparison = SystemClock.monotonicNanoseconds

    /// How old a record has to be before it is taken in, while the target runs: until then another CPU's ring may
    /// get an older one, such as the mapping that a sample needs.
    private static let settlingNanoseconds: Int64 = 1_000_000
    /// The longest wait: files that short-lived processes map are opened while they are there.
    private static let longestWait = Duration.milliseconds(100)
    /// The wait for as long as it is open whether enough of each stack is copied: until that is mended, stacks are cut.
    private static let trialWait = Duration.milliseconds(10)
    /// A target that sleeps ends the trial as well.
    private static let longestTrial = Duration.seconds(1)

    init(
        _ events: PerfEventSet, _ collector: SampleCollector, root: Int32,
        _ configuration: SamplerConfiguration, setupCPU: Duration
    ) {
        self.events = events
        collector.python.events = events
        self.collector = collector
        self.root = root
        window = StackWindow(events.extent, limit: configuration.clampedMaximumStackBytes)
        cpu = setupCPU
    }

    /// Works until a descriptor becomes readable, then takes in what is left.
    func run(until stopDescriptor: Int32) {
        let before = SystemClock.threadCPU
        var watchesRings = true
        while true {
            do throws(SystemError) {
                let descriptors =
                    [stopDescriptor]
                    + (watchesRings && !collector.python.isReading ? events.rings.map(\.descriptor) : [])
                let ready = try FileDescriptor.waitUntilReadable(descriptors, timeout: wait)
                if ready[0] { break }
                let taken = drain(upTo: SystemClock.monotonicNanoseconds - settling)
                takeMoreIfNeeded()
                compareClocksIfDue()
                // Takes a while: clocks are compared with the samples that have just been taken in.
                collector.python.look(root: root, processes: collector.processes)
                // A ring whose process has ended is always "readable": look at it by the clock from then on.
                watchesRings = taken > 0 || !ready.dropFirst().contains(true)
            } catch {
                collector.note(error.description)
                break
            }
        }
        events.disable()
        collector.python.stop()
        drain(upTo: Int64.max)
        collector.closeAccount(total: events.countedNanoseconds())
        cpu += SystemClock.threadCPU - before
    }

    private func compareClocksIfDue() {
        let now = SystemClock.monotonicNanoseconds
        guard now >= nextComparison else { return }
        nextComparison = now + Self.longestWait.inNanoseconds
        collector.compareClocks()
    }

    func profile() -> RawProfile { collector.profile(samplerCPU: cpu) }

    /// Readings of Python frames come a little after their sample.
    private var settling: Int64 {
        collector.python.isReading ? Self.settlingWithReaders : Self.settlingNanoseconds
    }
    private static let settlingWithReaders: Int64 = 10_000_000
    /// Readers are woken by the rings, and the sampler is not: it looks while there is room for twice as many samples.
    private static let waitBesideReaders = Duration.milliseconds(15)

    private var wait: Duration {
        if collector.python.isReading { return Self.waitBesideReaders }
        let isTrial = window.isUntried(collector.cut) && SystemClock.monotonicNanoseconds < trialEnd
        return isTrial ? Self.trialWait : Self.longestWait
    }

    /// Takes more of each stack where too many do not fit.
    private func takeMoreIfNeeded() {
        guard let extent = window.next(collector.cut) else { return }
        do throws(SamplerError) {
            try events.change(to: extent, family: root, and: collector.processes)
            collector.python.eventsChanged()
            collector.note(extent)
            window.change(to: extent, collector.cut)
            trialEnd = SystemClock.monotonicNanoseconds + Self.longestTrial.inNanoseconds
        } catch {
            window.stay()
            collector.note("More of each stack could not be taken. \(error.description)")
        }
    }

    /// Takes in the records up to a time, of all rings in order of time. Returns how many.
    @discardableResult
    private func drain(upTo horizon: Int64) -> Int {
        // What was read up to here has its records in the rings already.
        collector.python.fetchReadings()
        for ring in events.rings { ring.refresh() }
        collector.python.collect(events.rings)
        defer { collector.python.forget(before: horizon) }
        var fronts = events.rings.map { front(of: $0) }
        var taken = 0
        while let next = earliest(fronts), Int64(clamping: fronts[next].time) <= horizon {
            if let record = fronts[next].record {
                collector.take(record)
                events.rings[next].consume(record)
            }
            fronts[next] = front(of: events.rings[next])
            taken += 1
        }
        return taken
    }

    private struct Front {
        var record: UnsafeRawBufferPointer?
        var time: UInt64
    }

    private func front(of ring: PerfRing) -> Front {
        let record = ring.front()
        // A record without a time is taken at once.
        return Front(record: record, time: record.flatMap { PerfRecord.time($0) } ?? 0)
    }

    private func earliest(_ fronts: [Front]) -> Int? {
        var earliest: Int?
        for (index, front) in fronts.enumerated() where front.record != nil {
            if let known = earliest, fronts[known].time <= front.time { continue }
            earliest = index
        }
        return earliest
    }
}
