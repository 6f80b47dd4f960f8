import Foundation
import FrozenProfile
import Measurement
import ProfileSamples
import Testing

@Suite("Raw values in a companion")
struct RunsFileTests {
    /// A profile with all that a run may have: stages in another order, missing ones, metrics that not all have.
    private func profile(runs count: Int = 3) throws -> FrozenProfile {
        var first = Session(id: "s1", startedAt: nil, observed: ObservedEnvironment(), runs: [])
        var second = Session(id: "s2", startedAt: nil, observed: ObservedEnvironment(), runs: [])
        for index in 1...count {
            let wall = 1 + Double(index) / 64
            var stages = [
                try Samples.stage("fetch", wall: wall, cpu: 0.25, peak: .value(20.125)),
                try Samples.stage(
                    "parse \"x\"", wall: 0.000001, cpu: 0, peak: .unavailable(reason: "too\nshort")),
                try Samples.stage("index", wall: 12_345.678901, cpu: 3, peak: .value(1_048_576)),
            ]
            stages[0].use[.majorFaults] = .value(7)
            if index == 2 {
                stages.swapAt(0, 2)
                stages[1].isShared = true
                stages[1].use[.majorFaults] = .unavailable(reason: "refused")
                stages[2].entered = .unavailable(reason: "not counted")
            }
            if index == 3 { stages.remove(at: 0) }
            var run = Samples.run(index, wall: 20_000, stages)
            run.wallClockStepSeconds = index == 1 ? -3 : nil
            first.runs.append(run)
            run.failure = index == 1 ? RunFailure("exited with code 3") : nil
            second.runs.append(run)
        }
        var profile = FrozenProfile(
            release: "v1", date: "2026-02-10T14:20:00Z", datasetID: .value("d"), episodesProcessed: .value(1),
            environment: ProfileEnvironment(
                identity: EnvironmentIdentity(), observed: ObservedEnvironment()),
            captureQuality: CaptureQuality(
                sampler: .none(reason: "x"), profiledOverMeasuredWall: .unavailable(reason: "x"),
                monitorCPUSeconds: .value(1), samplerCPUSeconds: .unavailable(reason: "x"), notes: [],
                runs: [
                    .init(run: "s1/1", monitorCPUSeconds: .value(1), sampler: nil, samplerCPUSeconds: nil)
                ]), recipe: nil, sessions: [first, second])
        profile.runsPlace = .companion
        profile.schema = FrozenProfile.schemaVersionWithCompanion
        return profile
    }

    @Test("Text and companion together are the profile; the text alone has no runs")
    func roundTrip() throws {
        let profile = try profile()
        var back = try FrozenProfile.decode(profile.encode(), name: "v1.yaml")
        #expect(back.sessions.map(\.id) == ["s1", "s2"])
        #expect(back.sessions.flatMap(\.runs).isEmpty)
        #expect(back.stages == profile.stages && back.totals == profile.totals)
        try back.takeRuns(profile.encodeRuns(), name: "v1.runs.jsonl.gz")
        #expect(back == profile)
        #expect(back.deviations.isEmpty)
        #expect(back.encodeRuns() == profile.encodeRuns())
    }

    @Test("Another reader of JSON finds the same values, column by column")
    func columns() throws {
        let profile = try profile()
        let lines = try String(decoding: profile.encodeRuns(), as: UTF8.self).split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(lines.count == 1 + 6 + 1 + 3)
        #expect(lines[0]["runs"] as? Int == 6)
        #expect(lines[2]["order"] as? [Int] == [2, 1, 0])
        let runs = profile.sessions.flatMap(\.runs)
        for line in lines.suffix(3) {
            let name = try #require(line["stage"] as? String)
            let places = line["runs"] as? [Int] ?? Array(runs.indices)
            let walls = try #require(line["wall_s"] as? [Double])
            #expect(
                walls
                    == places.map { place in
                        runs[place].stages.first { $0.stage.text == name }?.use.wallSeconds.value
                    })
        }
        let fetch = lines[8]
        #expect(fetch["runs"] as? [Int] == [0, 1, 3, 4])
        #expect(lines[9]["peak_rss_mb"] as? [String] == Array(repeating: "too\nshort", count: 6))
        let faults = try #require(lines[9]["major_faults"] as? [Any])
        #expect(faults[0] is NSNull && faults[1] as? String == "refused")
    }

    @Test("The text does not grow with the runs")
    func textSize() throws {
        let few = try profile(runs: 3).encode().count
        let many = try profile(runs: 90).encode().count
        // Numbers of runs have a digit more.
        #expect(many - few < 64, "\(few) and \(many) bytes")
    }

    @Test("Older readers refuse the text by its schema, which would have no runs to them")
    func schema() throws {
        let text = String(decoding: try profile().encode(), as: UTF8.self)
        #expect(text.contains("\nschema_version: '3.0'\n") && text.contains("\nraw_values: companion\n"))
        let plain = String(decoding: try Samples.profile().encode(), as: UTF8.self)
        #expect(plain.contains("\nschema_version: '2.3'\n") && !plain.contains("raw_values"))
    }

    @Test(
        "A companion that is not whole or not possible is refused, with the place",
        arguments: [
            ("\"freeze-profile runs\"", "\"other\"", "Its first line does not say 'freeze-profile runs'."),
            ("\"schema_version\": \"1.0\"", "\"schema_version\": \"2.0\"", "It has schema '2.0'"),
            ("\"runs\": 6", "\"runs\": 7", "It has 6 runs and 3 stages, but says 7 and 3."),
            ("\"runs\": 6", "\"runs\": 5", "It has more runs than it says."),
            ("\"session\": \"s2\"", "\"session\": \"s3\"", "It has a run of session 's3'"),
            ("\"order\": [2, 1, 0]", "\"order\": [2, 2, 0]", "The order of the stages of run 1 is none."),
            ("\"runs\": [0,1,3,4]", "\"runs\": [0,1,4,3]", "Line 9: runs should be a list"),
            ("\"runs\": [0,1,3,4]", "\"runs\": [0,1,3,6]", "Line 9: runs should be a list"),
            ("\"entered\": [1,", "\"entered\": [", "Line 9: entered should be a list of 4 values."),
            ("\"cpu_s\": [0.25,", "\"cpu_s\": [-1,", "Line 9: cpu_s has a value that is no number"),
            ("\"kind\": \"measured\"", "\"kind\": \"other\"", "Line 2: kind is the string 'other'"),
            ("{\"stage\": \"index\"", "{\"stage\": \"fetch\"", "its stage has no name of its own."),
            ("{\"stage\": \"fetch\"", "{\"stage\": \"fetch", "Line 9: "),
        ])
    func damage(original: String, changed: String, sentence: String) throws {
        let profile = try profile()
        let text = String(decoding: profile.encodeRuns(), as: UTF8.self)
        try #require(text.contains(original), "\(original)")
        let damaged = text.replacing(original, with: changed, maxReplacements: 1)
        var back = try FrozenProfile.decode(profile.encode(), name: "v1.yaml")
        let error = #expect(throws: ProfileError.self) {
            try back.takeRuns(Array(damaged.utf8), name: "v1.runs.jsonl.gz")
        }
        #expect(
            error?.description.hasPrefix("The raw values in 'v1.runs.jsonl.gz' cannot be used. ") == true)
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }
}
