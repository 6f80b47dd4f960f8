/// A pipeline of a shell whose stages' work is that of other programs.
enum ShellPipeline {
    /// - Parameter iterations: Turns of the loop in its stage `crunch`.
    static func script(_ iterations: Int) -> String {
        """
        #!/bin/sh
        mark() { printf '{"stage":"%s"}' "$1" > .pipeline_status.json.tmp; mv .pipeline_status.json.tmp .pipeline_status.json; }
        mark list
        seq 2000 | sort | wc -l
        mark crunch
        awk 'BEGIN { for (i = 0; i < \(iterations); i++) x += i % 7; print x }'
        mark done
        """
    }
}
