internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// The keys of the live panel, and the flamegraph that one of them asks for.
///
/// They are read by the monitor child, which outlives a pipeline that crashes: so the terminal is given back on every
/// way out that is not a SIGKILL of the monitor itself.
final class MonitorKeys {
    private var input: KeyInput?
    /// The program that draws a flamegraph, and what it says.
    private var helper: ChildProcess?
    private var speech: FileDescriptor?
    private var spoken: [UInt8] = []
    /// Where the picture goes.
    private var picture = ""
    /// Until when the terminal is left alone.
    private var releasedUntil: Int64 = 0
    private var isHelpShown = false

    static let help =
        "keys: f flamegraph of 5 s, p pause, t processes, q leave the view, ? help"
    private static let mostSpoken = 1 << 14

    init() {
        input = nil
        helper = nil
        speech = nil
    }

    /// -1 while no keys are read.
    var descriptor: Int32 {
        switch input {
        case .some(let input): input.descriptor
        case .none: -1
        }
    }

    /// -1 while no flamegraph is being drawn.
    var helperDescriptor: Int32 {
        switch speech {
        case .some(let speech): speech.rawValue
        case .none: -1
        }
    }

    /// Takes the keyboard when the panel is live and the terminal ours, and lets it go when not.
    func follow(_ state: MonitorState) {
        let isOurs = state.wantsKeys && state.isTargetRunning && Terminal.isForeground(Terminal.standardInput)
        guard isOurs, SystemClock.monotonicNanoseconds >= releasedUntil else {
            input = nil
            return
        }
        guard input == nil else { return }
        do throws(SystemError) {
            input = try KeyInput(Terminal.standardInput)
        } catch {
            // A terminal that will not be changed: no keys, and it is not asked again every tick.
            releasedUntil = .max
            state.note("No keys are read. \(error)")
        }
    }

    /// Gives the terminal back for a time.
    func release(for time: Duration) {
        input = nil
        releasedUntil = SystemClock.monotonicNanoseconds + time.inNanoseconds
    }

    /// Gives the keyboard back, until it is taken again.
    func letGo() { input = nil }

    /// Gives the terminal back. A flamegraph that is being drawn is given up.
    func close() {
        input = nil
        helper = nil
        speech = nil
    }

    /// Does what was asked for by keys.
    func read(for state: MonitorState) {
        var pressed: [UInt8] = []
        switch input {
        case .some(let input): pressed = input.keys()
        case .none: return
        }
        // Readable without anything to read is a terminal that has hung up.
        if pressed.isEmpty { release(for: .seconds(1)) }
        for key in pressed {
            switch key {
            case UInt8(ascii: "f"): startFlamegraph(for: state)
            case UInt8(ascii: "p"): state.togglePause()
            case UInt8(ascii: "t"): state.toggleProcesses()
            case UInt8(ascii: "q"):
                state.detach()
                input = nil
                return
            case UInt8(ascii: "?"), UInt8(ascii: "h"):
                isHelpShown.toggle()
                state.remark(isHelpShown ? Self.help : nil)
            default: break
            }
        }
    }

    private func startFlamegraph(for state: MonitorState) {
        guard helper == nil else { return state.remark("a flamegraph is being captured already") }
        guard let target = state.targetPID else {
            return state.remark("there is no running process to sample")
        }
        guard let program = state.flamegraphProgram else {
            return state.remark(
                "no flamegraph: the program 'freeze-profile' is not beside this one and not in PATH")
        }
        let directory = state.flamegraphDirectory
        let picture =
            "\(directory)/flamegraph_\(SystemClock.now.iso8601.filter { $0 != "-" && $0 != ":" }).svg"
        var request = ChildRequest([
            program, "sample", "--pid", "\(target)", "--duration", "5", "--status-file", state.statusFile,
            "--output", picture,
        ])
        request.standardInput = .null
        request.diesWithParent = true
        do {
            try state.makeFlamegraphDirectory()
            let pipe = try FileDescriptor.pipe()
            request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
            request.standardError = .descriptor(pipe.writeEnd.rawValue)
            helper = try ChildProcess.start(request)
            speech = pipe.takeReadEnd()
            spoken = []
            self.picture = picture
            state.remark("capturing 5 s of stacks")
        } catch {
            state.remark("no flamegraph: \(error)")
        }
    }

    /// Reads what the flamegraph's program says; its end is reported above the panel.
    func helperHasSpoken(for state: MonitorState) {
        var bytes: [UInt8] = []
        do throws(SystemError) {
            switch speech {
            case .some(let speech): bytes = try speech.read(upTo: 4096)
            case .none: return
            }
        } catch {
            bytes = []
        }
        spoken += bytes.prefix(Self.mostSpoken - spoken.count)
        guard bytes.isEmpty else { return }
        speech = nil
        let isDrawn = hasSucceeded()
        // Dropping it ends one that hangs.
        helper = nil
        state.remark(nil)
        for line in String(decoding: spoken, as: UTF8.self).split(separator: "\n") {
            state.printAbove(String(line))
        }
        if isDrawn { state.printAbove("flamegraph: \(picture)") }
    }

    /// Whether a flamegraph is being drawn.
    var isDrawing: Bool { helperDescriptor >= 0 }

    /// Waits for a flamegraph that is being drawn of a process that has ended. One that takes longer is given up.
    func finishPicture(for state: MonitorState, within time: Duration) {
        let deadline = SystemClock.monotonicNanoseconds + time.inNanoseconds
        state.remark("writing the flamegraph of what there was")
        while isDrawing {
            let left = deadline - SystemClock.monotonicNanoseconds
            var isReady = false
            do throws(SystemError) {
                isReady = try FileDescriptor.waitUntilReadable(
                    [helperDescriptor], timeout: Duration(nanosecondCount: Swift.max(0, left)))[0]
            } catch {
                isReady = false
            }
            guard isReady else {
                state.remark(nil)
                state.printAbove(
                    "no flamegraph: it was not drawn within \(time.readable) of the pipeline's end")
                return close()
            }
            helperHasSpoken(for: state)
        }
    }

    /// Whether the helper, which has closed its output, ends well; it is given a second.
    private func hasSucceeded() -> Bool {
        do throws(SystemError) {
            return try helper?.wait(timeout: .seconds(1))?.status == .code(0)
        } catch {
            return false
        }
    }
}
