// swift-tools-version: 6.2
import PackageDescription

// The target graph is the architecture (docs/architecture.md): arrows point one way, and a file
// that needs an import its target does not list is in the wrong room.

/// libunwind exports its remote-unwinding API once per architecture, under a name of its own.
#if arch(x86_64)
    let unwindLibrary = "unwind-x86_64"
#elseif arch(arm64)
    let unwindLibrary = "unwind-aarch64"
#endif

let package = Package(
    name: "freeze-profile",
    products: [
        .executable(name: "freeze-profile", targets: ["freeze-profile"]),
        .executable(name: "podcast-scraper", targets: ["podcast-scraper"]),
        .executable(name: "loopback-feed", targets: ["loopback-feed"]),
        .library(name: "Stages", targets: ["Stages"]),
        // A plugin of QEMU's user-mode emulation: found beside the tool, opened by the emulator, linked by nothing.
        .library(name: "instruction-counter", type: .dynamic, targets: ["CInstructionCounter"]),
        // Preloaded into programs that callgrind counts, likewise.
        .library(name: "stage-marker", type: .dynamic, targets: ["CStageMarker"]),
        .library(name: "LiveMonitor", targets: ["LiveMonitor"]),
    ],
    targets: [
        // Mains: parse, call, map the outcome to an exit code.
        .executableTarget(
            name: "freeze-profile",
            dependencies: [
                "CommandLineTool", "Blame", "Capture", "Doctor", "ProfileComparison", "ProfileReport",
                "FunctionAttribution", "InstructionCounting",
                "StackRecording", "FlameGraph", "FrozenProfile", "ProfileStore", "LiveMonitor",
                "ProfileFormats", "JobRuns", "SlurmEngine",
                "StackProfile",
                "JSONDocument", "LinuxProcess", "LinuxSystem", "Measurement", "MessageDigest",
            ]),
        .executableTarget(
            name: "podcast-scraper",
            dependencies: [
                "CommandLineTool", "PodcastPipeline", "Stages", "LiveMonitor", "LinuxProcess",
                "LinuxSystem", "Measurement",
            ]),
        .executableTarget(
            name: "loopback-feed",
            dependencies: ["CommandLineTool", "LoopbackServer", "LinuxProcess", "LinuxSystem", "Measurement"]),

        // Benchmarks: programs that print a figure.
        .executableTarget(
            name: "sampler-cost",
            dependencies: ["StackSampler", "LinuxProcess", "LinuxSystem", "Measurement"],
            path: "Benchmarks/sampler",
            exclude: [
                "run.py", "truth.py", "names.py", "interruptions.py", "harmless.sh", "README.md", "target.c",
                "target.py",
                "interrupted.c",
            ],
            sources: ["main.swift"]),

        // The toolkit, top to bottom.
        .target(name: "CommandLineTool", dependencies: ["Measurement", "LinuxSystem"]),
        .target(
            name: "ProfileComparison",
            dependencies: [
                "FunctionAttribution", "FrozenProfile", "ProfileStore", "StackProfile", "Statistics",
                "YAMLDocument",
                "JSONDocument", "LinuxSystem", "Measurement", "MessageDigest",
            ]),
        .target(
            name: "FunctionAttribution",
            dependencies: [
                "FrozenProfile", "StackProfile", "Statistics", "JSONDocument", "LinuxProcess", "Measurement",
            ]),
        .target(name: "Statistics", dependencies: ["LinuxSystem"]),
        .target(name: "Metrics", dependencies: ["Measurement"]),
        // Style and script are files of their own, embedded so that the tool stays one file.
        .target(
            name: "ProfileReport",
            dependencies: [
                "StackProfile", "FlameGraph", "FrozenProfile", "FunctionAttribution", "ProfileComparison",
                "Statistics", "JSONDocument", "Measurement",
            ],
            resources: [
                .embedInCode("Page/report.css"), .embedInCode("Page/report.js"),
                .embedInCode("Page/timeline.js"), .embedInCode("Page/sampled.js"),
                .embedInCode("Page/shelf.js"),
            ]),
        .target(
            name: "Capture",
            dependencies: [
                "InstructionCounting", "JobRuns", "SlurmEngine",
                "StackRecording", "LiveMonitor", "Stages", "StackSampler", "StackProfile",
                "FlameGraph",
                "FrozenProfile", "ProfileStore", "LinuxProcess", "LinuxSystem", "Measurement",
                "MessageDigest",
            ]),
        // One run over several nodes: what its tasks leave, the clocks of nodes, one account of all.
        .target(
            name: "JobRuns",
            dependencies: [
                "LiveMonitor", "SlurmEngine", "Stages", "Metrics", "JSONDocument", "LinuxProcess",
                "LinuxSystem", "Measurement",
            ]),
        // Slurm by its own tools: command lines, listings, what a capture remembers of its jobs.
        .target(
            name: "SlurmEngine",
            dependencies: ["JSONDocument", "LinuxProcess", "LinuxSystem", "Measurement"]),
        // Which commit changed what a program costs.
        .target(
            name: "Blame",
            dependencies: [
                "Capture", "InstructionCounting", "StackRecording", "ProfileComparison", "FrozenProfile",
                "FunctionAttribution", "StackProfile", "Statistics", "JSONDocument", "LinuxProcess",
                "LinuxSystem", "Measurement",
                "MessageDigest",
            ]),
        .target(
            name: "Doctor",
            dependencies: [
                "StackRecording", "InstructionCounting", "StackSampler", "JSONDocument", "LinuxProcess",
                "LinuxSystem", "Measurement",
            ]),
        .target(
            name: "StackRecording",
            dependencies: [
                "Stages", "StackSampler", "Symbolication", "ProfileFormats", "StackProfile",
                "FlameGraph",
                "FrozenProfile", "PythonFrames", "LinuxProcess", "LinuxSystem", "Measurement",
            ]),
        // Counted runs: engines, edges in the instruction stream, instructions by stage and function.
        .target(
            name: "InstructionCounting",
            dependencies: [
                "Stages", "StackProfile", "Symbolication", "PythonFrames", "LinuxProcess",
                "LinuxSystem", "Measurement",
            ]),
        .target(
            name: "LiveMonitor",
            dependencies: [
                "Stages", "Metrics", "JSONDocument", "LinuxProcess", "LinuxSystem", "Measurement",
            ]),
        .target(
            name: "ProfileStore",
            dependencies: [
                "FrozenProfile", "YAMLDocument", "JSONDocument", "Compression", "LinuxSystem", "Measurement",
                "MessageDigest",
            ]),
        .target(
            name: "FrozenProfile",
            dependencies: [
                "Metrics", "YAMLDocument", "JSONDocument", "LinuxSystem", "Measurement", "MessageDigest",
            ]),
        // Style and script are files of their own, embedded so that the tool stays one file.
        .target(
            name: "FlameGraph", dependencies: ["StackProfile", "Measurement"],
            resources: [
                .embedInCode("Page/flamegraph.css"), .embedInCode("Page/flamegraph.js"),
                .embedInCode("Page/picture.js"), .embedInCode("Page/toolbar.xml"),
                .embedInCode("Page/differential.css"),
                .embedInCode("Page/differential.js"),
            ]),
        .target(name: "ProfileFormats", dependencies: ["StackProfile", "Compression", "Measurement"]),
        .target(name: "StackProfile", dependencies: ["Compression", "Measurement"]),
        .target(
            name: "Symbolication",
            dependencies: ["CElfutils", "CDemangle", "LinuxProcess", "LinuxSystem", "Measurement"]),
        // Structures of CPython in another process's memory, read with bounds; no ptrace, no perf events.
        .target(name: "PythonFrames", dependencies: ["LinuxProcess", "LinuxSystem", "Measurement"]),
        .target(
            name: "StackSampler",
            dependencies: [
                "CLibunwind", "CPerfEvents", "CPtrace", "PythonFrames", "LinuxProcess", "LinuxSystem",
                "Measurement",
            ]),
        .target(name: "Stages", dependencies: ["JSONDocument", "LinuxSystem", "Measurement"]),
        .target(name: "YAMLDocument", dependencies: ["CLibYAML"]),
        .target(name: "Compression", dependencies: ["CZlib"]),
        .target(name: "MessageDigest", dependencies: ["CMessageDigest", "LinuxSystem"]),
        .target(name: "JSONDocument", dependencies: ["Measurement"]),
        .target(name: "LinuxProcess", dependencies: ["CLinux", "LinuxSystem", "Measurement"]),
        .target(name: "LinuxSystem", dependencies: ["CLinux", "Measurement"]),
        .target(name: "Measurement"),

        // The reference pipeline and the server that feeds it.
        .target(
            name: "PodcastPipeline",
            dependencies: [
                "Stages", "YAMLDocument", "JSONDocument", "LinuxProcess", "LinuxSystem",
                "Measurement", "MessageDigest", "Compression",
                "CPocketSphinx", "CXML", "CCurl", "CSQLite",
            ]),
        .target(name: "LoopbackServer", dependencies: ["LinuxProcess", "LinuxSystem", "Measurement"]),

        // Doors to C, each with one importer.
        .target(name: "CLinux"),
        // Not imported by anything: see the product `instruction-counter`.
        .target(
            name: "CInstructionCounter",
            // Its functions run for every block of code, in debug builds too, and share a process with the emulator's.
            cSettings: [.unsafeFlags(["-O2", "-fvisibility=hidden"])],
            // The emulator should not load a Swift runtime that the plugin does not use.
            linkerSettings: [.unsafeFlags(["-nostartfiles", "-static-stdlib"])]),
        // Not imported by anything: see the product `stage-marker`.
        .target(
            name: "CStageMarker",
            // Its instructions are counted with the program's.
            cSettings: [.unsafeFlags(["-O2", "-fvisibility=hidden"])],
            linkerSettings: [.unsafeFlags(["-nostartfiles", "-static-stdlib"])]),
        .target(name: "CPerfEvents"),
        .target(name: "CPtrace"),
        .target(name: "CLibunwind", linkerSettings: [.linkedLibrary(unwindLibrary)]),
        .target(name: "CElfutils", linkerSettings: [.linkedLibrary("dw"), .linkedLibrary("elf")]),
        // The Swift runtime and libstdc++ are in every Swift program; only their names are needed.
        .target(name: "CDemangle", linkerSettings: [.linkedLibrary("stdc++")]),
        .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CMessageDigest", pkgConfig: "libmd", providers: [.apt(["libmd-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        // Linked from its archives: Debian strips the shared objects down to their exported names, and
        // a flamegraph of this pipeline has to name the static functions that do the work.
        .target(
            name: "CPocketSphinx", exclude: ["forwarding/README.md"],
            cSettings: [.headerSearchPath("forwarding")],
            linkerSettings: [
                .linkedLibrary(":libpocketsphinx.a"), .linkedLibrary(":libsphinxbase.a"), .linkedLibrary("m"),
            ]),
        // From its archive: no library for the monitor child to load, and SQLite's functions keep their names.
        .target(name: "CSQLite", linkerSettings: [.linkedLibrary(":libsqlite3.a"), .linkedLibrary("m")]),
        // Opened at run time: linking libcurl costs the monitor child, which shares the pipeline's
        // binary, six megabytes of resident libraries it never calls.
        .target(name: "CCurl"),
        // Opened at run time too: libxml2 brings ICU, 30 megabytes of tables. Of its package only the headers are used.
        .target(name: "CXML", cSettings: [.unsafeFlags(["-I/usr/include/libxml2"])]),

        // Figures that the documentation claims.
        .executableTarget(
            name: "flamegraph-benchmark",
            dependencies: ["FlameGraph", "StackProfile", "LinuxProcess", "LinuxSystem", "Measurement"],
            path: "Benchmarks/flamegraph", exclude: ["generate.py", "run.sh"]),
        // Prints how long explained comparisons take, and how often planted changes are found.
        .executableTarget(
            name: "attribution-benchmark",
            dependencies: [
                "FunctionAttribution", "ProfileComparison", "FlameGraph", "FrozenProfile",
                "ProfileFormats", "StackProfile", "Statistics", "LinuxSystem",
                "Measurement",
            ],
            path: "Benchmarks/comparison-functions", exclude: ["run.sh", "README.md"],
            sources: ["main.swift", "FewRuns.swift"]
        ),
        // Prints how long 10,000 addresses take; Benchmarks/symbolication/run.sh sets peers beside it.
        .executableTarget(
            name: "symbolication-benchmark",
            dependencies: ["Symbolication", "LinuxProcess", "LinuxSystem", "Measurement"],
            path: "Benchmarks/symbolication", exclude: ["run.sh", "README.md"], sources: ["main.swift"]),

        // Every reader of outside files on damaged ones; Benchmarks/fuzz/run.py sees to crashes.
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "FrozenProfile", "FunctionAttribution", "InstructionCounting", "LiveMonitor",
                "LoopbackServer", "PodcastPipeline", "ProfileComparison", "ProfileFormats",
                "ProfileReport", "ProfileSamples", "PythonFrames", "SlurmEngine", "StackProfile",
                "StackRecording", "StackSampler",
                "Stages", "Symbolication", "YAMLDocument", "LinuxProcess", "LinuxSystem",
                "Measurement", "TestSupport",
            ],
            path: "Benchmarks/fuzz", exclude: ["run.py", "seeds.py", "writer.py", "README.md", "corpus"]),

        // Verdicts on simulated measurements: how often they are wrong, and what they find.
        .target(
            name: "ComparisonSimulation",
            dependencies: ["ProfileComparison", "FrozenProfile", "Statistics", "LinuxSystem", "Measurement"],
            path: "Benchmarks/comparison/Simulation"),
        .executableTarget(
            name: "comparison-simulation",
            dependencies: [
                "ComparisonSimulation", "ProfileComparison", "Statistics", "LinuxSystem", "Measurement",
            ],
            path: "Benchmarks/comparison/Program"),

        // The libraries in use, by themselves.
        .executableTarget(
            name: "monitored-pipeline",
            dependencies: ["LiveMonitor", "Stages", "LinuxSystem", "Measurement"],
            path: "Examples/MonitoredPipeline"),

        // Tests, and what they share.
        .target(
            name: "TestSupport", dependencies: ["LinuxProcess", "LinuxSystem", "Measurement"],
            path: "Tests/TestSupport"),
        // Frozen profiles for tests.
        .target(
            name: "ProfileSamples", dependencies: ["FrozenProfile", "Measurement", "MessageDigest"],
            path: "Tests/ProfileSamples"),
        // A sampler that a test can kill.
        .executableTarget(
            name: "sampler-probe", dependencies: ["StackSampler", "LinuxSystem"], path: "Tests/SamplerProbe"),
        // Runs a command, or a known pipeline of its own, under the monitor.
        .executableTarget(
            name: "monitor-probe",
            dependencies: ["LiveMonitor", "Stages", "LinuxProcess", "LinuxSystem", "Measurement"],
            path: "Tests/MonitorProbe"),
    ]
)

/// Tests mirror targets by name.
let testedTargets: [String: [String]] = [
    "MeasurementTests": ["Measurement"],
    "LinuxSystemTests": ["LinuxSystem"],
    "LinuxProcessTests": ["LinuxProcess", "LinuxSystem"],
    "JSONDocumentTests": ["JSONDocument"],
    "StagesTests": ["Stages", "JSONDocument"],
    "YAMLDocumentTests": ["YAMLDocument"],
    "StackProfileTests": ["StackProfile", "Compression"],
    "FlameGraphTests": ["FlameGraph", "StackProfile"],
    "ProfileFormatsTests": ["ProfileFormats", "StackProfile", "Compression"],
    "SymbolicationTests": ["Symbolication"],
    "InstructionCountingTests": ["InstructionCounting", "Stages", "StackProfile"],
    "PythonFramesTests": ["PythonFrames"],
    "StackSamplerTests": ["StackSampler", "Symbolication", "sampler-probe"],
    "MetricsTests": ["Metrics"],
    "LiveMonitorTests": ["LiveMonitor", "Metrics", "Stages", "JSONDocument", "monitor-probe"],
    "FrozenProfileTests": ["FrozenProfile", "ProfileSamples", "MessageDigest", "YAMLDocument"],
    "ProfileStoreTests": ["ProfileStore", "FrozenProfile", "ProfileSamples", "MessageDigest"],
    "MessageDigestTests": ["MessageDigest"],
    "ProfileComparisonTests": [
        "ProfileComparison", "ComparisonSimulation", "FunctionAttribution", "FrozenProfile", "StackProfile",
        "Statistics", "ProfileSamples",
        "JSONDocument",
    ],
    "StatisticsTests": ["Statistics", "JSONDocument"],
    "CaptureTests": [
        "Capture", "StackRecording", "FrozenProfile", "ProfileStore", "StackProfile", "freeze-profile",
    ],
    "SlurmEngineTests": ["SlurmEngine"],
    "JobRunsTests": [
        "JobRuns", "LiveMonitor", "Metrics", "LinuxProcess", "LinuxSystem", "Measurement",
    ],
    "BlameTests": [
        "Blame", "Capture", "FrozenProfile", "ProfileComparison", "JSONDocument", "freeze-profile",
    ],
    "DoctorTests": ["Doctor", "StackSampler", "freeze-profile"],
    "StackRecordingTests": ["StackRecording", "StackProfile", "StackSampler", "freeze-profile"],
    "FunctionAttributionTests": [
        "FunctionAttribution", "FrozenProfile", "StackProfile",
    ],
    "ProfileReportTests": [
        "ProfileReport", "FunctionAttribution", "ProfileComparison", "ProfileStore", "FrozenProfile",
        "ProfileFormats", "StackProfile", "FlameGraph", "freeze-profile",
    ],
    "CommandLineToolTests": ["CommandLineTool"],
    "LoopbackServerTests": ["LoopbackServer", "loopback-feed"],
    "PodcastPipelineTests": [
        "Compression",
        "PodcastPipeline", "LoopbackServer", "Stages", "JSONDocument", "CommandLineTool",
        "podcast-scraper",
    ],
    "EndToEndTests": [
        "FrozenProfile", "ProfileSamples", "ProfileStore", "MessageDigest", "StackProfile", "freeze-profile",
        "podcast-scraper", "loopback-feed",
        "monitored-pipeline", "fuzz",
    ],
]
for (name, dependencies) in testedTargets.sorted(by: { $0.key < $1.key }) {
    let shared: Set = ["TestSupport", "LinuxProcess", "LinuxSystem", "Measurement"]
    let all = shared.union(dependencies).sorted()
    package.targets.append(.testTarget(name: name, dependencies: all.map { .init(stringLiteral: $0) }))
}

/// One set of rules for every Swift target.
for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
    ]
}
