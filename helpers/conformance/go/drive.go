// Plays a conformance case through helpers/go/stages.go: drive CASE.tsv, with PIPELINE_STATUS_FILE set. Built beside a
// go.mod that calls the helper's directory "conformance/stages".
package main

import (
	"conformance/stages"
	"os"
	"strconv"
	"strings"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	// A clock that shows what the case says, after a beginning that is the test's.
	origin, _ := strconv.ParseInt(os.Getenv("CONFORMANCE_ORIGIN_NS"), 10, 64)
	var elapsed int64
	clock := func() stages.Moment {
		return stages.Moment{Monotonic: origin + elapsed, Epoch: 1770000000e9 + elapsed}
	}
	status := stages.New(os.Getenv("PIPELINE_STATUS_FILE"), clock)
	type span struct {
		key   string
		stage *stages.Stage
	}
	var open []span
	for _, line := range strings.Split(string(text), "\n") {
		words := strings.Split(line, "\t")
		if words[0] != "begin" && words[0] != "end" && words[0] != "finish" {
			continue
		}
		moment, _ := strconv.ParseInt(words[1], 10, 64)
		elapsed = moment * 1000000
		key := strings.Join(words[2:], "\t")
		switch words[0] {
		case "begin":
			open = append(open, span{key, status.Begin(words[3], 0, 0)})
		case "end":
			for index := len(open) - 1; index >= 0; index-- {
				if open[index].key == key {
					open[index].stage.End()
					open = append(open[:index], open[index+1:]...)
					break
				}
			}
		default:
			status.Finish()
		}
	}
	status.Finish()
}
