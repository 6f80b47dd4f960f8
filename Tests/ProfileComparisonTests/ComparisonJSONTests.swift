import FrozenProfile
import FunctionAttribution
import JSONDocument
import Measurement
import ProfileComparison
import TestSupport
import Testing

@Suite("A comparison as JSON")
struct ComparisonJSONTests {
    @Test("It is JSON, and has every row with its numbers and its verdict")
    func members() throws {
        var comparison = Comparison(
            from: try Versions().profile("v1", Versions.steady),
            to: try Versions().profile("v\"2", Versions.steady, slower: ["transcription": 1.12]))
        comparison.explanations[.transcription] = StageExplanation(
            clause: "ngram_search accounts for 71 % of it")
        let json = try JSONValue.read(Array(comparison.json.utf8))
        let root = try #require(json.object)
        #expect(root["schema_version"]?.string == "2.1")
        #expect(root["outcome"]?.string == "regressed")
        #expect(root["to"]?.object?["release"]?.string == "v\"2")
        let rows = try #require(root["rows"]?.array)
        #expect(rows.count == comparison.rows.count)
        let row = try #require(
            rows.compactMap(\.object).first {
                $0["stage"]?.string == "transcription" && $0["metric"]?.string == "wall_time_s"
            })
        #expect(row["verdict"]?.string == "regressed")
        #expect((try #require(row["change"]?.object?["pct"]?.number) - 12).magnitude < 0.01)
        #expect(row["budget"]?.object?["pct"]?.number == 3)
        #expect(
            root["explanations"]?.array?.first?.object?["clause"]?.string
                == "ngram_search accounts for 71 % of it")
    }

    @Test("What has no number is null or says why, and what is not comparable has no rows")
    func missing() throws {
        let older = try Versions().profile("v1", [[1.0]])
        let comparison = Comparison(from: older, to: try Versions().profile("v2", [[1.1]]))
        let root = try #require(try JSONValue.read(Array(comparison.json.utf8)).object)
        let row = try #require(root["rows"]?.array?.first?.object)
        #expect(row["within_session"]?.object?["lower_pct"] == .null)
        #expect(row["change"] == nil && row["remedy"]?.object?["sessions_per_side"]?.number == 3)
        var other = older
        other.datasetID = .value("other")
        let refused = Comparison(from: older, to: other)
        let refusal = try #require(try JSONValue.read(Array(refused.json.utf8)).object)
        #expect(refusal["outcome"]?.string == "not_comparable")
        #expect(refusal["rows"]?.array?.isEmpty == true)
        #expect(refusal["comparability"]?.array?.first?.object?["key"]?.string == "dataset_id")
    }
}
