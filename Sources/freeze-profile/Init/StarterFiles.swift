internal import Measurement

/// The texts of the files that `init` writes.
struct StarterFiles {
    struct File {
        var path: String
        var text: String
    }

    /// The pipeline's command line.
    let command: [String]
    /// The directory of profiles, and the name of the input: texts for which ``canHold(_:)`` is true.
    let profiles: String
    let datasetID: String

    /// Whether a text means itself in a makefile, in YAML and in a shell.
    static func canHold(_ text: String) -> Bool {
        !text.isEmpty && !text.hasPrefix("-")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "._-/".utf8.contains(byte)
                }
            }
    }

    /// The files that every project gets.
    var always: [File] { [readme, gate, ignored, makefile] }

    private var readme: File {
        File(
            path: "\(profiles)/README.md",
            text: """
                # What each release costs

                One profile per release, kept with the source. `freeze-profile list --update-readme \(profiles)/README.md`
                writes the table:

                <!-- profiles: kept by freeze-profile list -->

                <!-- end of profiles -->

                Freeze a release on a machine that does nothing else, with everything committed:

                    make profile-freeze VERSION=v1.2.0
                    make profile-diff FROM=v1.1.0 TO=v1.2.0
                    make profile-gate FROM=v1.1.0 TO=v1.2.0
                    git add \(profiles) && git commit -m 'Profile of v1.2.0'

                | file | what it holds |
                |---|---|
                | `VERSION.yaml` | every run and stage: wall time, CPU time, peak memory, raw and summarised; the machine |
                | `VERSION.stacks.pb.gz`, `.flamegraph.svg` | the functions that the time was spent in |
                | `VERSION.counts.pb.gz` | executed instructions by stage and function, if they were counted |
                | `VERSION.stage_truth.json` | each stage's exact begin and end |
                | `gate.yaml` | ceilings and accepted regressions; read by `freeze-profile gate` |
                | `.records/` | the records of single runs; not for the repository |

                """)
    }

    private var gate: File {
        File(
            path: "\(profiles)/gate.yaml",
            text: """
                # What 'freeze-profile gate' remembers. It belongs in the repository, and is reviewed as code is.
                # 'freeze-profile gate FROM TO --accept STAGE.METRIC ...' rewrites this file, without these comments.
                schema_version: '1.0'
                # FROM may be so many days older than TO.
                baseline_max_age_days: 180
                # A cost that no version may exceed:
                # ceilings:
                # - stage: fetch
                #   metric: wall_time_s
                #   unit: s
                #   maximum: 12.5

                """)
    }

    private var ignored: File {
        File(
            path: "\(profiles)/.gitignore",
            text:
                "# Records of single runs; the profiles are made of them and hold their values.\n.records/\n")
    }

    private var makefile: File {
        // A dollar sign is make's.
        let line = ShellWords.line(command).replacing("$", with: "$$")
        return File(
            path: "profiles.mk",
            text: """
                # Profiles of releases. Put 'include profiles.mk' into your Makefile, or use 'make -f profiles.mk TARGET'.
                # profile-freeze should depend on whatever builds the pipeline.
                .PHONY: profile-freeze profile-diff profile-gate

                # The pipeline's command. {output_dir} becomes a fresh directory for each run.
                PROFILE_COMMAND = \(line.replacing("#", with: "\\#"))
                # Measured runs, and runs whose instructions are counted (needs qemu-user, takes ten times as long).
                PROFILE_RUNS ?= 5
                PROFILE_COUNT_RUNS ?= 0
                export VERSION FROM TO

                profile-freeze:
                \t@test -n "$$VERSION" || { echo "VERSION is not set: make profile-freeze VERSION=v1.2.0" >&2; exit 64; }
                \tfreeze-profile capture --version "$$VERSION" --output "\(profiles)/$$VERSION.yaml" \\
                \t    --dataset-id \(datasetID) --runs $(PROFILE_RUNS) --count-runs $(PROFILE_COUNT_RUNS) \\
                \t    -- $(PROFILE_COMMAND)

                profile-diff:
                \tfreeze-profile diff "$$FROM" "$$TO" --profiles \(profiles)

                profile-gate:
                \tfreeze-profile gate "$$FROM" "$$TO" --profiles \(profiles) --markdown gate.md --junit gate.xml

                """)
    }

    /// A workflow of GitHub Actions.
    var workflow: File {
        let line = ShellWords.line(command)
        return File(
            path: ".github/workflows/profile.yml",
            text: """
                # Compares what a pull request costs with what its base costs. Both are measured in this job, on one machine:
                # times of different machines are not comparable. Runners are shared, so that times are often inconclusive
                # there; executed instructions repeat, and decide.
                name: profile
                on: pull_request
                permissions:
                  contents: read
                jobs:
                  profile:
                    runs-on: ubuntu-latest
                    env:
                      # The package of freeze-profile (make deb): an address that this repository's variables hold.
                      FREEZE_PROFILE_DEB: ${{ vars.FREEZE_PROFILE_DEB }}
                      BASE: ${{ github.event.pull_request.base.sha }}
                    steps:
                      - uses: actions/checkout@v4
                        with:
                          fetch-depth: 0
                      - name: Install freeze-profile
                        run: |
                          curl -fsSL -o "$RUNNER_TEMP/freeze-profile.deb" "$FREEZE_PROFILE_DEB"
                          sudo apt-get update
                          sudo apt-get install -y "$RUNNER_TEMP/freeze-profile.deb" qemu-user
                          freeze-profile doctor || true
                      - name: Measure both
                        run: |
                          echo "SHELF=$RUNNER_TEMP/profiles" >> "$GITHUB_ENV"
                          export SHELF="$RUNNER_TEMP/profiles"
                          # Paths of one length: they move what lies in memory, and so instructions.
                          git worktree add --detach "$RUNNER_TEMP/base" "$BASE"
                          git worktree add --detach "$RUNNER_TEMP/head" HEAD
                          measure() {
                            cd "$RUNNER_TEMP/$1"
                            # Build the pipeline here if it has to be built.
                            freeze-profile capture --version "$1" --output "$SHELF/$1.yaml" --dataset-id \(datasetID) \\
                              --runs 5 --count-runs 2 -- \(line)
                          }
                          (measure base)
                          (measure head)
                      - name: Decide
                        run: |
                          freeze-profile diff base head --profiles "$SHELF" --fail-on regression --format markdown \\
                            -o "$RUNNER_TEMP/diff.md" || status=$?
                          cat "$RUNNER_TEMP/diff.md" >> "$GITHUB_STEP_SUMMARY"
                          exit "${status:-0}"
                      - uses: actions/upload-artifact@v4
                        if: always()
                        with:
                          name: profiles
                          path: ${{ runner.temp }}/profiles

                """)
    }
}
