import CommandLineTool
import Stages
import TestSupport
import Testing

@testable import PodcastPipeline
@testable import podcast_scraper

@Suite("The pipeline's settings")
struct SettingsTests {
    private func request(_ words: String...) throws -> RunRequest {
        try RunRequest(Options(Options.syntax.parse(words)))
    }

    private func file(_ text: String, in directory: TemporaryDirectory) throws -> String {
        let path = directory.path + "/pipeline.yaml"
        try OutputFiles(directory: directory.path).write(text, to: path)
        return path
    }

    @Test("options set everything")
    func options() throws {
        let asked = try request(
            "http://h/f.xml", "--output-dir", "o", "--max-episodes=2", "--model-dir", "m", "--monitor")
        #expect(asked.monitor)
        #expect(
            asked.settings
                == PipelineSettings(
                    feedURL: "http://h/f.xml", outputDirectory: "o", maximumEpisodes: 2, modelDirectory: "m"))
        #expect(asked.statusLocation?.statusFile == "o/.pipeline_status.json")
        #expect(try request("u", "--output-dir", "o").statusLocation == nil)
    }

    @Test("the command line wins over the configuration")
    func configuration() throws {
        let directory = try TemporaryDirectory()
        let path = try file(
            "rss: http://c\noutput_dir: co\nmax_episodes: 3\nmonitor: true\nmodel_dir: cm\n", in: directory)
        let configured = try request("--config", path)
        #expect(
            configured.settings
                == PipelineSettings(
                    feedURL: "http://c", outputDirectory: "co", maximumEpisodes: 3, modelDirectory: "cm"))
        #expect(configured.monitor)
        let overridden = try request(
            "http://l", "--config", path, "--output-dir", "lo", "--max-episodes", "1", "--model-dir", "lm")
        #expect(
            overridden.settings
                == PipelineSettings(
                    feedURL: "http://l", outputDirectory: "lo", maximumEpisodes: 1, modelDirectory: "lm"))
    }

    @Test(
        "a configuration that cannot be meant is refused",
        arguments: [
            (
                "rss: a\nmax_episode: 2\n",
                "has the unknown key 'max_episode'; known are "
                    + PipelineConfiguration.keys.joined(separator: ", ") + ". Did you mean 'max_episodes'?"
            ),
            ("max_episodes: 0\n", "needs a whole number above zero for 'max_episodes'."),
            ("monitor: perhaps\n", "needs true or false for 'monitor'."),
            ("rss: [a]\n", "needs a text for 'rss'."),
            ("- a\n", "must be a mapping of keys to values, such as 'max_episodes: 2'."),
        ])
    func wrongConfiguration(text: String, phrase: String) throws {
        let error = #expect(throws: PipelineConfiguration.Problem.self) {
            try PipelineConfiguration.parse(Array(text.utf8))
        }
        #expect(error?.phrase == phrase)
    }

    @Test("a configuration that is no YAML is refused with the place")
    func brokenConfiguration() throws {
        let error = #expect(throws: PipelineConfiguration.Problem.self) {
            try PipelineConfiguration.parse(Array("rss: 'a\n".utf8))
        }
        #expect(error?.phrase.hasPrefix("is not YAML that is read here. Line ") == true)
        #expect(try PipelineConfiguration.parse(Array("# nothing\n".utf8)) == PipelineConfiguration())
    }

    @Test(
        "a command line without a feed, a place or a count is wrong usage",
        arguments: [
            (["--output-dir", "o"], "There is no feed to read. Give its address, or --config FILE."),
            (["u"], "There is no place for the results. Give --output-dir DIR."),
            (
                ["u", "--output-dir", "o", "--max-episodes", "none"],
                "The option '--max-episodes' needs a whole number above zero, not 'none'."
            ),
        ])
    func usage(words: [String], sentence: String) throws {
        let error = #expect(throws: ToolFailure.self) {
            try RunRequest(Options(Options.syntax.parse(words)))
        }
        #expect(error == ToolFailure(sentence, .usage))
    }
}
