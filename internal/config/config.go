// Package config is the daemon's configuration: a value, its defaults, and the
// TOML file that sets it.
//
// A key that is not known, a value of the wrong type and a value out of its
// bounds are errors that name file and line or key. What is not in the file
// keeps its default. The installed file says every default, and a test
// compares it with Default.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// DefaultFile is read when no other file is named, if it exists.
const DefaultFile = "/etc/mpsupervisor/config.toml"

// DefaultSocket is where the daemon listens.
const DefaultSocket = "/run/mpsupervisor/control.sock"

// maxFile is the longest configuration file in bytes.
const maxFile = 1 << 20

// Config is everything that can be configured. See dist/config.toml of the
// command for what each key means.
type Config struct {
	Socket       string   `toml:"socket" json:"socket"`
	User         string   `toml:"user" json:"user"`
	Group        string   `toml:"group" json:"group"`
	Launcher     string   `toml:"launcher" json:"launcher"`
	Worker       string   `toml:"worker" json:"worker"`
	Image        string   `toml:"image" json:"image"`
	RunDir       string   `toml:"run_dir" json:"run_dir"`
	StateDir     string   `toml:"state_dir" json:"state_dir"`
	CacheDir     string   `toml:"cache_dir" json:"cache_dir"`
	CgroupParent string   `toml:"cgroup_parent" json:"cgroup_parent"`
	UIDBase      uint32   `toml:"uid_base" json:"uid_base"`
	UIDRange     uint32   `toml:"uid_range" json:"uid_range"`
	MaxWorkers   int      `toml:"max_workers" json:"max_workers"`
	DrainTimeout Duration `toml:"drain_timeout" json:"drain_timeout"`
	Learn        bool     `toml:"learn" json:"learn"`
	Limits       Limits   `toml:"limits" json:"limits"`
	Keep         Keep     `toml:"keep" json:"keep"`
	Monitor      Monitor  `toml:"monitor" json:"monitor"`
	Metrics      Metrics  `toml:"metrics" json:"metrics"`
	Log          Log      `toml:"log" json:"log"`
}

// Limits are what a program gets that asks for nothing, and the most that one
// may ask for.
type Limits struct {
	Default LimitSet `toml:"default" json:"default"`
	Max     LimitSet `toml:"max" json:"max"`
}

// LimitSet is mp.Limits as people write it.
type LimitSet struct {
	Memory      Size     `toml:"memory" json:"memory"`
	MemorySoft  Size     `toml:"memory_soft" json:"memory_soft"`
	Pids        int64    `toml:"pids" json:"pids"`
	CPU         float64  `toml:"cpu" json:"cpu"`
	CPUWeight   int64    `toml:"cpu_weight" json:"cpu_weight"`
	IORate      Size     `toml:"io_rate" json:"io_rate"`
	IOWeight    int64    `toml:"io_weight" json:"io_weight"`
	TmpBytes    Size     `toml:"tmp_bytes" json:"tmp_bytes"`
	TmpFiles    int64    `toml:"tmp_files" json:"tmp_files"`
	Files       int64    `toml:"files" json:"files"`
	CallTimeout Duration `toml:"call_timeout" json:"call_timeout"`
	LogRate     int      `toml:"log_rate" json:"log_rate"`
	IPCRate     int      `toml:"ipc_rate" json:"ipc_rate"`
}

// Keep bounds what the daemon holds in memory for its callers, and on the disk.
type Keep struct {
	Packages Size `toml:"packages" json:"packages"`   // all packages together
	LogBytes Size `toml:"log_bytes" json:"log_bytes"` // console text of one program
	LogLines int  `toml:"log_lines" json:"log_lines"` // likewise

	ReadyImages int  `toml:"ready_images" json:"ready_images"` // of packages; 0: none are made
	ReadyBytes  Size `toml:"ready_bytes" json:"ready_bytes"`   // of all of them together
}

// Log says what the daemon tells, and how.
type Log struct {
	Level  string `toml:"level" json:"level"`   // debug, info, warn, error
	Format string `toml:"format" json:"format"` // text, json
}

// Default is the configuration of a daemon that nobody configured.
func Default() Config {
	return Config{
		Socket:       DefaultSocket,
		User:         "mpsupervisor",
		Group:        "mpsupervisor",
		RunDir:       "/run/mpsupervisor",
		StateDir:     "/var/lib/mpsupervisor",
		CacheDir:     "/var/cache/mpsupervisor",
		CgroupParent: "mpsupervisor",
		UIDBase:      1_900_000_000,
		UIDRange:     4096,
		MaxWorkers:   256,
		DrainTimeout: Duration{5 * time.Second},
		Limits: Limits{
			Default: fromLimits(mp.DefaultLimits()),
			Max:     fromLimits(mp.MaxLimits()),
		},
		Keep:    Keep{Packages: 256 << 20, LogBytes: 256 << 10, LogLines: 2000, ReadyImages: 64, ReadyBytes: 256 << 20},
		Monitor: defaultMonitor(),
		Log:     Log{Level: "info", Format: "text"},
	}
}

// Load reads the file name. If name is "", it reads DefaultFile, which may be
// absent; from tells what was read, or is "" when nothing was.
func Load(name string) (c Config, from string, err error) {
	from = name
	if name == "" {
		from = DefaultFile
	}
	b, err := readFile(from)
	if name == "" && errors.Is(err, os.ErrNotExist) {
		return Default(), "", nil
	}
	if err != nil {
		return Config{}, "", fmt.Errorf("cannot read the configuration: %w", err)
	}
	c, err = Parse(b)
	if err != nil {
		return Config{}, "", fmt.Errorf("cannot use the configuration: %s:%w", from, err)
	}
	return c, from, nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s is longer than %d bytes", name, maxFile)
	}
	return b, err
}

// Parse reads a configuration over the defaults and checks it. Its errors
// begin with the line, or with a space and the key.
func Parse(b []byte) (Config, error) {
	c := Default()
	rules := c.Monitor.Rules
	c.Monitor.Rules = nil
	d := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	err := d.Decode(&c)
	if err != nil {
		return Config{}, withLine(err)
	}
	if c.Monitor.Rules, err = withRules(rules, c.Monitor.Rules); err != nil {
		return Config{}, fmt.Errorf(" %w", err)
	}
	if err := c.Check(); err != nil {
		return Config{}, fmt.Errorf(" %w", err)
	}
	return c, nil
}

// withLine puts the line of the first mistake before what is wrong with it.
func withLine(err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		first := unknown.Errors[0]
		line, _ := first.Position()
		return fmt.Errorf("%d: unknown key %q", line, joinKey(first.Key()))
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		line, _ := bad.Position()
		return fmt.Errorf("%d: %s", line, strings.TrimPrefix(bad.Error(), "toml: "))
	}
	return fmt.Errorf(" %w", err)
}

// Values gives the limits in the project's own type.
func (l LimitSet) Values() mp.Limits {
	return mp.Limits{
		Memory: int64(l.Memory), MemorySoft: int64(l.MemorySoft), Pids: l.Pids,
		CPU: l.CPU, CPUWeight: l.CPUWeight, IORate: int64(l.IORate), IOWeight: l.IOWeight,
		TmpBytes: int64(l.TmpBytes), TmpFiles: l.TmpFiles, Files: l.Files,
		CallTimeout: l.CallTimeout.Duration, LogRate: l.LogRate, IPCRate: l.IPCRate,
	}
}

func fromLimits(l mp.Limits) LimitSet {
	return LimitSet{
		Memory: Size(l.Memory), MemorySoft: Size(l.MemorySoft), Pids: l.Pids,
		CPU: l.CPU, CPUWeight: l.CPUWeight, IORate: Size(l.IORate), IOWeight: l.IOWeight,
		TmpBytes: Size(l.TmpBytes), TmpFiles: l.TmpFiles, Files: l.Files,
		CallTimeout: Duration{l.CallTimeout}, LogRate: l.LogRate, IPCRate: l.IPCRate,
	}
}
