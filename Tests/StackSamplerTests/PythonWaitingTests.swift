import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

@testable import StackSampler

/// Python programs under the sampler of wall-clock time: what their threads run, and what they wait for.
@Suite(.serialized, .enabled(if: PythonRun.program != nil, "there is no CPython to sample"))
struct PythonWaitingTests {
    /// Threads that wait in four ways, each in a function of its own.
    private static let waiting = """
        import os, queue, sys, threading, time
        seconds = float(sys.argv[1])
        readable, writable = os.pipe()
        items = queue.Queue()
        def dozes(): time.sleep(seconds)
        def reads_pipe(): return os.read(readable, 1)
        def takes_item(): return items.get()
        def outer(inner): inner()
        threads = [threading.Thread(target=outer, args=(f,)) for f in (dozes, reads_pipe, takes_item)]
        for thread in threads: thread.start()
        threads[0].join()
        os.write(writable, b"x")
        items.put(1)
        for thread in threads[1:]: thread.join()
        """

    @Test(
        "Threads that wait show the Python functions that they wait in, and the system call, without a stop",
        arguments: [true, false])
    func waits(usesPerfEvents: Bool) throws {
        var configuration = WallClockConfiguration()
        configuration.stopBudget = 1
        configuration.usesPerfEvents = usesPerfEvents
        let run = try PythonRun(Self.waiting, ["1.5"], byWallClock: configuration)
        let profile = run.profile
        func seconds(_ stack: [String], _ state: String) -> Double {
            profile.samples.filter {
                run.pythonStack(of: $0).suffix(stack.count) == stack[...]
                    && profile.states[Int($0.stateIndex)] == state
            }.reduce(0) { $0 + Double($1.weight) } * Double(profile.periodNanoseconds) / 1e9
        }
        // Four standard deviations of 150 moments, and a machine that is shared.
        let whole = 0.9...2.2
        #expect(whole.contains(seconds(["Thread.run", "outer", "dozes"], "blocked: clock_nanosleep")))
        #expect(whole.contains(seconds(["Thread.run", "outer", "reads_pipe"], "blocked: read")))
        #expect(whole.contains(seconds(["takes_item", "Queue.get", "Condition.wait"], "blocked: futex")))
        #expect(
            whole.contains(
                seconds(["<module>", "Thread.join", "Thread._wait_for_tstate_lock"], "blocked: futex")))
        let stops = try #require(profile.health.stops)
        if usesPerfEvents { #expect(stops.count == 0 && stops.interruptedCalls == 0) }
        let account = try #require(profile.health.python)
        #expect(account.failed == 0 && account.proven > account.all / 2, "\(account)")
    }

    @Test("Where running threads are stopped their frames are exact")
    func stopped() throws {
        var configuration = WallClockConfiguration.unbudgeted
        configuration.rateHertz = 500
        let nested = try PythonRun(PythonRun.nested, ["2"], byWallClock: configuration)
        let account = try #require(nested.profile.health.python)
        // Nothing is left unread but what an interpreter is that is being set up.
        #expect(account.unproven + account.failed <= account.all / 50, "\(account)")
        let stacks = nested.pythonStacks.filter { $0.contains("loop_a") || $0.contains("loop_b") }
        try #require(stacks.count > 200, "\(stacks.count)")
        let impossible = stacks.filter { !PythonRun.isPossible($0) }
        #expect(impossible.isEmpty, "\(impossible.first ?? [])")

        let (right, wrong) = try PythonRun(PythonRun.libraries, ["2"], byWallClock: configuration)
            .callersOfLibraries
        #expect(right > 200 && wrong == 0, "\(wrong) wrong, \(right) right")
    }

    @Test("Without stops what is not proven to be of the moment is not shown")
    func glimpses() throws {
        var configuration = WallClockConfiguration()
        configuration.rateHertz = 500
        let nested = try PythonRun(PythonRun.nested, ["2"], byWallClock: configuration)
        try #require(nested.profile.health.stops?.count == 0, "perf events are refused here")
        let stacks = nested.pythonStacks.filter { $0.contains("loop_a") || $0.contains("loop_b") }
        try #require(stacks.count > 50, "\(String(describing: nested.profile.health.python))")
        // The loops take all of its time but for a call in a thousand, which asks for the time.
        let clock = nested.pythonStacks.count { $0 == ["<module>"] }
        #expect(clock * 10 < stacks.count, "\(clock) between the loops, \(stacks.count) in them")
        let impossible = stacks.filter { !PythonRun.isPossible($0) }
        #expect(impossible.isEmpty, "\(impossible.first ?? [])")

        let run = try PythonRun(PythonRun.libraries, ["3"], byWallClock: configuration)
        let (right, wrong) = run.callersOfLibraries
        let account = run.profile.health.python
        #expect(
            right > 50 && wrong * 100 <= right,
            "\(wrong) wrong, \(right) right, \(String(describing: account))")
    }
}
