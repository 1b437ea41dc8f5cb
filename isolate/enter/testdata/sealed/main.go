// Command sealed is a worker without a purpose: it enters, says what it
// proved, and does what its argument says. The tests of package enter build
// and start it.
//
//	sealed ACTION WITHOUT [hide] [learn] [native]
//
// WITHOUT are locks to leave out, with commas; hide is to be as on a kernel
// without MDWE; the others are set in enter's Config.
//
// Descriptor 3 brings the filter. Descriptors 0, 1 and 2 are kept.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/isolate/enter"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock/locktest"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// outcome is the line that Enter's result is told in.
type outcome struct {
	enter.Report
	Missing lock.Name
	Error   string
}

func main() {
	in := os.NewFile(3, "program")
	program, err := io.ReadAll(in)
	if err != nil {
		panic(err)
	}
	in.Close()
	cfg := enter.Config{Filters: seccomp.Stack{{Program: program}}, Keep: []int{0, 1, 2}}
	for _, name := range strings.FieldsFunc(os.Args[2], func(r rune) bool { return r == ',' }) {
		cfg.Without = append(cfg.Without, lock.Name(name))
	}
	words := os.Args[3:]
	cfg.Learn, cfg.Native = slices.Contains(words, "learn"), slices.Contains(words, "native")
	if slices.Contains(words, "hide") {
		if err := locktest.HideMDWE(); err != nil {
			panic(err)
		}
	}
	report, err := enter.Enter(cfg)
	out := outcome{Report: report}
	if err != nil {
		out.Error = err.Error()
		if missing, ok := errors.AsType[*lock.MissingError](err); ok {
			out.Missing = missing.Name
		}
	}
	line, _ := json.Marshal(out)
	fmt.Println(string(line))
	if err == nil {
		actions[os.Args[1]]()
	}
}
