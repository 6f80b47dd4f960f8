internal import FlameGraph
public import FrozenProfile
public import Measurement
public import StackProfile

/// One frozen profile as an HTML page.
public enum HTMLProfileReport {
    /// The page's bytes.
    ///
    /// - Parameters:
    ///   - stacks: The archive's stacks, or why there are none.
    ///   - timeline: One run in time, or why there is none.
    ///   - place: Where the page stands on a shelf; nil for a page by itself.
    public static func render(
        _ profile: FrozenProfile, stacks: Reading<StackProfile>,
        timeline: Reading<RunTimeline> = .unavailable(reason: "it was not asked for"),
        place: PagePlace? = nil,
        tool: String
    ) -> [UInt8] {
        var page = HTMLPage(title: profile.release, place: place, summary: ProfileSentence.of(profile))
        page.add { writer in
            writer.element("p", "class=\"headline\"", ProfileSentence.of(profile))
            writer.element(
                "p", "class=\"soft\"",
                "Frozen \(profile.date); \(counted(profile.measuredRuns.count, "measured run")) in "
                    + "\(counted(profile.sessions.count, "session"))."
            )
            writer.element("h2", "", "One run in time")
            switch timeline {
            case .value(let timeline):
                TimelineMarkup([.init(name: profile.release, timeline: timeline)]).draw(&writer)
            case .unavailable(let reason):
                writer.element("p", "class=\"soft\"", "No timeline is shown: \(reason).")
            }
            if let archive = stacks.value, let run = SampledRun(archive) {
                SampledRunMarkup(run).draw(&writer)
            }
            stages(profile, &writer)
            CountedTables.html(profile, &writer)
            functions(profile, stacks, &writer)
            runs(profile, &writer)
            quality(profile, &writer)
            writer.environment([profile])
        }
        return page.finished(tool: tool)
    }

    /// The metrics of which any of some uses has a value other than 0, and those that were always 0. A metric without
    /// values would be a column of reasons, and one that was always 0 a column of zeros.
    private static func metrics(of uses: [ResourceUse]) -> (shown: [Metric], zero: [Metric]) {
        let measured = Metric.allCases.filter { metric in uses.contains { $0[metric].value != nil } }
        let zero = measured.filter { metric in uses.allSatisfy { $0[metric].value == 0 } }
        return (measured.filter { !zero.contains($0) }, zero)
    }

    private static func counted(_ count: Int, _ what: String) -> String {
        "\(count) \(what)\(count == 1 ? "" : "s")"
    }

    private static func stages(_ profile: FrozenProfile, _ writer: inout HTMLWriter) {
        let uses = profile.stages.map(\.use) + [profile.totals.use]
        let (metrics, zero) = metrics(of: uses)
        var rows = profile.stages.map { stage -> (attributes: String, cells: [HTMLWriter.Cell]) in
            let share = stage.shareOfWall.value
            return (
                "",
                [
                    .text(stage.stage.text + (stage.isShared ? " (beside others)" : "")),
                    HTMLWriter.Cell(markup: share.map(bar) ?? "", value: share),
                ] + metrics.map { .reading(stage.use[$0], $0) }
            )
        }
        rows.append(
            (
                "class=\"differs\"",
                [.text("whole run"), .text("")] + metrics.map { .reading(profile.totals.use[$0], $0) }
            ))
        writer.element("h2", "", "Stages")
        writer.table(
            caption: "Medians of the measured runs",
            columns: [.init(title: "stage"), .init(title: "share of wall time")]
                + metrics.map { .init(title: ReportNumbers.title($0), isNumber: true) }, rows: rows)
        writer.zeros(zero)
        writer.missing(
            uses.flatMap { use in metrics.map { ($0, use[$0]) } }
                + Metric.allCases.filter { !metrics.contains($0) && !zero.contains($0) }
                .map { ($0, profile.totals.use[$0]) })
    }

    /// A share as a bar with its percentage.
    private static func bar(_ share: Double) -> String {
        let width = (96 * min(max(share, 0), 1)).fixed(1)
        return
            "<svg class=\"share\" width=\"96\" height=\"11\" aria-hidden=\"true\"><rect width=\"96\" height=\"11\" "
            + "fill=\"#8884\"/><rect width=\"\(width)\" height=\"11\" fill=\"#3b7cc0\"/></svg> \((100 * share).fixed(1)) %"
    }

    /// Below so many samples a stage's functions are shown as counts.
    private static let fewSamples: Int64 = 100

    private static func functions(
        _ profile: FrozenProfile, _ stacks: Reading<StackProfile>, _ writer: inout HTMLWriter
    ) {
        writer.element("h2", "", "Functions")
        guard let stacks = stacks.value else {
            writer.element(
                "p", "", "No functions are shown: \(stacks.unavailableReason ?? "there are no stacks").")
            return
        }
        var rows: [(attributes: String, cells: [HTMLWriter.Cell])] = []
        let parts = Set(stacks.labelSets.map(\.stage)).map { stage in
            (stage: stage, stacks: stacks.filtered { $0.stage == stage })
        }
        // The costliest stage first.
        for (stage, part) in parts.sorted(by: {
            ($1.stacks.totalWeight, $0.stage?.text ?? "") < ($0.stacks.totalWeight, $1.stage?.text ?? "")
        }) where part.totalWeight > 0 {
            let whole = Double(part.totalWeight)
            // A share of few samples claims more than they can show: their counts are shown.
            let isFew = part.unit == .samples && part.totalWeight < fewSamples
            func share(_ weight: Int64) -> String {
                isFew ? "\(weight) of \(part.totalWeight)" : "\((100 * Double(weight) / whole).fixed(1)) %"
            }
            let costs = part.functionCosts().filter { $0.selfWeight > 0 }
            for cost in costs.sorted(by: { $0.selfWeight > $1.selfWeight }).prefix(10) {
                let (own, total) = (Double(cost.selfWeight) / whole, Double(cost.totalWeight) / whole)
                rows.append(
                    (
                        "",
                        [
                            .text(stage?.text ?? "no stage"),
                            .text(cost.function, attributes: "class=\"name\""),
                            .text(cost.module ?? ""), .text(share(cost.selfWeight), value: own),
                            .text(share(cost.totalWeight), value: total),
                        ]
                    ))
            }
        }
        writer.table(
            caption:
                "The ten functions of each stage that spend most themselves, as shares of the stage's samples; of fewer than "
                + "\(fewSamples) their counts",
            columns: ["stage", "function", "module"].map { .init(title: $0) }
                + ["self", "total"].map { .init(title: $0, isNumber: true) }, rows: rows)
        let hasStages = stacks.labelSets.contains { $0.stage != nil }
        var options = FlameGraphSVG.Options()
        options.title = profile.release
        options.subtitle = hasStages ? "by stage" : "by function"
        let picture = FlameGraphSVG.render(
            FlameGraphLayout(hasStages ? stacks.grouped(by: [.stage]) : stacks), options: options)
        // In a page the XML declaration would be text.
        let text = String(decoding: picture, as: UTF8.self)
        writer.raw(text.firstRange(of: "<svg").map { String(text[$0.lowerBound...]) } ?? "")
    }

    private static func runs(_ profile: FrozenProfile, _ writer: inout HTMLWriter) {
        let (metrics, zero) = metrics(of: profile.sessions.flatMap(\.runs).map(\.use))
        let rows = profile.sessions.flatMap { session in
            session.runs.map { run -> (attributes: String, cells: [HTMLWriter.Cell]) in
                (
                    "",
                    [
                        .text("\(session.id)/\(run.index)"), .text(run.kind.rawValue),
                        .text(run.exit.value.map { "\($0)" } ?? "not known"),
                    ] + metrics.map { .reading(run.use[$0], $0) }
                )
            }
        }
        guard !rows.isEmpty else { return }
        writer.element("h2", "", "Runs")
        writer.table(
            caption: "Every run, in order",
            columns: ["run", "kind", "exit"].map { .init(title: $0) }
                + metrics.map { .init(title: ReportNumbers.title($0), isNumber: true) }, rows: rows)
        writer.zeros(zero)
        writer.missing(
            profile.sessions.flatMap(\.runs).flatMap { run in metrics.map { ($0, run.use[$0]) } })
    }

    private static func quality(_ profile: FrozenProfile, _ writer: inout HTMLWriter) {
        guard let quality = profile.captureQuality else { return }
        func shown<Value>(_ reading: Reading<Value>) -> String {
            switch reading {
            case .value(let value): "\(value)"
            case .unavailable(let reason): "unavailable (\(reason))"
            }
        }
        let sampler = quality.sampler
        let facts = [
            ("sampler", sampler.name), ("samples attempted", shown(sampler.attempted)),
            ("samples recorded", shown(sampler.recorded)), ("samples lost", shown(sampler.lost)),
            ("stacks cut off", shown(sampler.truncated)),
            ("stacks not walked to their root", shown(sampler.unwindFailed)),
            ("frames without a name, %", shown(sampler.unknownFramesPercent)),
            ("Python functions", sampler.python?.summary ?? "no stack ran Python"),
            ("profiled by measured wall time", shown(quality.profiledOverMeasuredWall)),
            ("CPU seconds of the monitor", shown(quality.monitorCPUSeconds)),
            ("CPU seconds of the sampler", shown(quality.samplerCPUSeconds)),
        ]
        writer.element("h2", "", "How far this can be trusted")
        writer.table(
            caption: "What measuring did to the run",
            columns: [.init(title: "fact"), .init(title: "value")],
            rows: facts.map { ("", [.text($0.0), .text($0.1)]) })
        writer.sentences("Notes", quality.notes + profile.discrepancies)
    }
}
