// Command vm runs this project's own tests in virtual machines: on cgroup v2
// alone, and on Debian's kernels 6.1 and 6.12, which need not be the host's.
//
//	go run ./test/vm [-short] [-kernels 6.1,6.12] [-run REGEXP] [-tests REGEXP] [-count N] [-v]
//
// The machine is qemu's software emulation, so that it runs anywhere; a system
// call takes five to ten times as long in it, and a new process twenty times.
// What boots is a kernel that apt downloaded and nobody installed, with an
// initramfs put together here: busybox, some modules, the test binaries, and
// the programs that the tests would build, because there is no Go in there.
//
// The suite (suite.go) says which tests run. A test that skips fails unless the
// suite allows it, with a reason: in a machine that was made for them, the
// tests lack nothing. A machine that ends without saying how (its emulation
// crashes now and then) is started once more, and that is said.
//
// Do not measure anything in it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	var o options
	kernels := flag.String("kernels", "6.1,6.12", "which kernels, by their `versions`")
	only := flag.String("run", "", "of the suite, the packages that match this `regexp`")
	flag.StringVar(&o.tests, "tests", "", "of those, the tests that match this `regexp`, also ones that the suite leaves out")
	flag.IntVar(&o.count, "count", 1, "how often each test runs")
	flag.BoolVar(&o.short, "short", false, "the short selection")
	flag.BoolVar(&o.verbose, "v", false, "print all that the tests print")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o.kernels = strings.Split(*kernels, ",")
	var err error
	if o.only, err = regexp.Compile(*only); err == nil {
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "vm:", err)
		os.Exit(1)
	}
}

type options struct {
	kernels        []string
	only           *regexp.Regexp // of the packages
	tests          string         // of their tests, "" is the suite's choice
	count          int
	short, verbose bool
}

// run builds the suite and runs it on each kernel at the same time: the
// emulation of one machine uses one processor.
func run(ctx context.Context, o options) error {
	begin := time.Now()
	steps := choose(o)
	if len(steps) == 0 {
		return errors.New("no package of the suite is chosen")
	}
	top, err := sourceTree()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mpsupervisor-vm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("building the tests of %d packages\n", len(steps))
	load, err := build(ctx, top, dir, steps)
	if err != nil {
		return err
	}
	var wait sync.WaitGroup
	failed := make([]error, len(o.kernels))
	for i, name := range o.kernels {
		wait.Go(func() {
			if failed[i] = on(ctx, name, dir, load, steps, o.verbose); failed[i] != nil {
				failed[i] = fmt.Errorf("kernel %s: %w", name, failed[i])
			}
		})
	}
	wait.Wait()
	fmt.Printf("took %v\n", time.Since(begin).Round(time.Second))
	return errors.Join(failed...)
}

// on runs the steps on one kernel.
func on(ctx context.Context, name, dir string, load *payload, steps []step, verbose bool) error {
	k, err := fetch(ctx, name)
	if err != nil {
		return err
	}
	initrd := fmt.Sprintf("%s/initrd-%s", dir, name)
	if err := makeInitrd(initrd, k, load, steps); err != nil {
		return err
	}
	for try := 1; ; try++ {
		r := &report{kernel: name, steps: steps, verbose: verbose, out: os.Stdout}
		r.say("booting Linux %s", k.version)
		err := boot(ctx, k, initrd, fmt.Sprintf("%s/disk-%s", dir, name), r)
		if !errors.Is(err, errNoStatus) || try == 2 || ctx.Err() != nil {
			return errors.Join(err, r.summary())
		}
		r.say("%v; starting it once more", err)
	}
}
