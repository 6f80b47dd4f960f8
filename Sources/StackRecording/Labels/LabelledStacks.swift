internal import LinuxProcess
internal import Measurement
internal import StackProfile
internal import StackSampler
internal import Stages
internal import Symbolication

/// Raw stacks turned into what a person reads: functions by name, each sample with its stage, thread and process.
struct LabelledStacks {
    let profile: StackProfile
    /// Sentences about what could not be named, and why.
    let notes: [String]

    /// Names each frame once, and labels each sample by the moment it was taken.
    ///
    /// - Parameters:
    ///   - raw: What the sampler saw.
    ///   - timeline: Which stage was active when; nil for a target that reports no stages.
    ///   - trust: Whose maps of just-in-time compiled code are believed.
    ///   - labelsStates: Whether samples say what their thread was doing. Of CPU time everything runs.
    ///   - naming: Called with how much has its name, from 0 to 1.
    init(
        _ raw: RawProfile, timeline: StageTimeline?, trust: JustInTimeNames.Trust, labelsStates: Bool,
        naming: (Double) -> Void
    ) throws(StackRecordingError) {
        let symbols = Self.symbolize(raw, naming)
        let compiled = JustInTimeNames(for: raw, trust: trust)
        naming(1)
        notes = symbols.compactMap(\.failure) + compiled.notes
        var builder = StackProfileBuilder(period: Duration(nanosecondCount: raw.periodNanoseconds))
        var files = SourceFiles()
        // Outermost first: a function, and what the compiler has inlined into it there.
        let named = raw.frames.map { Self.frames($0, raw, symbols, compiled, &files) }
        let frames = named.map { $0.map { builder.id(of: $0) } }
        let marker = builder.id(of: .truncationMarker)
        let stacks = raw.stacks.map { stack in
            // Raw stacks are leaf first. Where the walk did not reach the bottom, the missing part is marked.
            let shown = raw.withoutInterpreter(stack.frames) { named[$0].last }
            let callers = shown.reversed().flatMap { frames[Int($0)] }
            return builder.stack(stack.end == .complete ? callers : [marker] + callers)
        }
        do throws(StackProfileError) {
            var moments: [SampleMoments.Moment] = []
            moments.reserveCapacity(raw.samples.count)
            let first = raw.samples.lazy.map(\.monotonicNanoseconds).min() ?? 0
            for sample in raw.samples {
                let thread = raw.threads[Int(sample.threadIndex)]
                let stage = timeline?.label(
                    atMonotonicNanoseconds: sample.monotonicNanoseconds, threadID: thread.threadID)
                let labels = builder.id(
                    of: SampleLabels(
                        stage: stage.flatMap { StageName($0) }, thread: thread.threadName,
                        process: thread.processName,
                        state: labelsStates ? raw.states[Int(sample.stateIndex)] : nil))
                let place = try builder.add(
                    stacks[Int(sample.stackIndex)], weight: Int64(sample.weight), labels: labels)
                moments.append(
                    SampleMoments.Moment(
                        sample: place, microseconds: (sample.monotonicNanoseconds - first) / 1000,
                        weight: Int64(sample.weight)))
            }
            moments.sort { ($0.microseconds, $0.sample) < ($1.microseconds, $1.sample) }
            for moment in moments { builder.moments.append(moment) }
        } catch {
            throw .refused(error.description)
        }
        for image in raw.images {
            if let buildID = image.buildID { builder.buildIDs.insert(buildID, of: Self.module(image)) }
        }
        profile = builder.build()
    }

    /// Every image's addresses, looked up once.
    private static func symbolize(_ raw: RawProfile, _ naming: (Double) -> Void) -> [SymbolizedImage] {
        var wanted = [Set<ImageAddress>](repeating: [], count: raw.images.count)
        for frame in raw.frames {
            if let image = frame.imageIndex, case .image(let address) = frame.lookupAddress {
                wanted[image].insert(address)
            }
        }
        // A file takes about as long as it is large: most of the time goes into reading its symbols.
        let all = max(1, raw.images.reduce(0) { $0 + $1.byteCount })
        var done = 0
        return zip(raw.images, wanted).map { image, addresses in
            defer { done += image.byteCount }
            // Debug information is read where it is needed, but a list of its units is made first: of a program of
            // gigabytes that alone takes long.
            let isModest = image.byteCount <= largestForInlines
            let options = Symbolicator.Options(lines: isModest, inlines: isModest)
            return SymbolizedImage(image, addresses, options: options) { share in
                naming(min((Double(done) + share * Double(image.byteCount)) / Double(all), 0.999))
            }
        }
    }

    /// The largest file whose debug information is read.
    private static let largestForInlines = 1 << 30

    /// What frames of an image say they are of.
    private static func module(_ image: ProgramImage) -> String {
        PlainText.sanitized(image.name, maximumCharacters: 128)
    }

    private static func frames(
        _ frame: RawFrame, _ raw: RawProfile, _ symbols: [SymbolizedImage], _ compiled: JustInTimeNames,
        _ files: inout SourceFiles
    ) -> [Frame] {
        var outer = function(frame, raw, symbols, compiled)
        guard let index = frame.imageIndex, case .image(let address) = frame.lookupAddress,
            let symbolized = symbols[index].addresses[address], symbolized.function.value != nil
        else { return [outer] }
        (outer.file, outer.line) = files.position(of: outer, symbolized.position)
        // Innermost first, as they were found.
        let inlined = symbolized.inlined.prefix(mostInlined).reversed().map { call in
            var frame = Frame(call.function, module: outer.module, traits: outer.traits.union(.inlined))
            (frame.file, frame.line) = files.position(of: frame, call.position)
            return frame
        }
        return [outer] + inlined
    }

    /// The most inlined calls shown at one place.
    private static let mostInlined = 64

    /// A function of Python: as in its traceback, the file relative to where modules are imported from.
    private static func python(_ function: RawPythonFunction, _ line: Int32) -> Frame {
        Frame(
            PlainText.sanitized(function.name, maximumCharacters: 512),
            file: PlainText.sanitized(function.file, maximumCharacters: 512), line: line > 0 ? Int(line) : nil
        )
    }

    private static func function(
        _ frame: RawFrame, _ raw: RawProfile, _ symbols: [SymbolizedImage], _ compiled: JustInTimeNames
    ) -> Frame {
        let guessed: FrameTraits = frame.isGuessed ? .guessed : []
        if case .runtime(let address, let process) = frame.lookupAddress,
            let function = compiled.function(at: address, processID: process)
        {
            return Frame(function, module: "perf-\(process).map", traits: guessed)
        }
        if case .none(let absence) = frame.address {
            return absence == .pythonNotRead ? .unreadPython : Frame(absence.name)
        }
        if case .python(let function, let line) = frame.address {
            return python(raw.pythonFunctions[Int(function)], line)
        }
        guard let index = frame.imageIndex else {
            return Frame("[no file]", traits: guessed.union(.unknown))
        }
        let module = Self.module(raw.images[index])
        guard case .image(let address) = frame.lookupAddress,
            let function = symbols[index].addresses[address]?.function.value
        else {
            return Frame("[\(module)]", module: module, traits: guessed.union(.unknown))
        }
        return Frame(function, module: module, traits: guessed)
    }
}

extension RawProfile {
    /// A stack, leaf first, without frames of an interpreter at its leaf that say nothing beside the Python function that
    /// runs: without a name, or of the interpreter's loop. Named ones stay, such as the sorting of a list.
    fileprivate func withoutInterpreter(
        _ stack: ArraySlice<Int32>, frame: (Int) -> Frame?
    ) -> [Int32] {
        func isPython(_ index: Int32) -> Bool {
            if case .python = frames[Int(index)].address { return true }
            return false
        }
        guard let first = stack.firstIndex(where: isPython) else { return Array(stack) }
        let leaf = stack[..<first].filter { index in
            guard let image = frames[Int(index)].imageIndex, interpreterImages.contains(image),
                let frame = frame(Int(index))
            else { return true }
            return !frame.isUnknown
                && !["_PyEval_", "PyEval_", "_PyFunction_"].contains(where: frame.function.hasPrefix)
        }
        return leaf + stack[first...]
    }
}

extension ProgramImage {
    fileprivate var byteCount: Int {
        switch content {
        case .file(let file): file.count
        case .memory(let bytes): bytes.count
        case .unavailable: 0
        }
    }
}

/// The source file of each function: the first that was found, so that places whose lines are not known, or stand in
/// another file, do not make two functions of one.
private struct SourceFiles {
    private struct Function: Hashable {
        var name: String
        var module: String?
    }
    private var fileOf: [Function: String] = [:]

    mutating func position(of frame: Frame, _ position: SourcePosition?) -> (file: String?, line: Int?) {
        let function = Function(name: frame.function, module: frame.module)
        guard let position else { return (fileOf[function], nil) }
        let file = fileOf[function] ?? position.file
        fileOf[function] = file
        return (file, position.file == file ? position.line : nil)
    }
}
