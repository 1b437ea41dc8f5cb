package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/flynn/noise"

	"github.com/mpsupervisor/mpsupervisor/ipc"
	"github.com/mpsupervisor/mpsupervisor/ipc/ipctest"
)

// echoVariable makes this program the echoing end of a channel on fd 3.
const echoVariable = "MPSUPERVISOR_BENCH_ECHO"

func echo(arm ipctest.Arm) int {
	f, err := ipc.File(3)
	if err == nil {
		err = arm.Echo(context.Background(), f)
	}
	if !errors.Is(err, io.EOF) {
		fmt.Fprintln(os.Stderr, "echo:", err)
		return 1
	}
	return 0
}

// roundTrips compares calls over the channel with the same code in the clear,
// between two processes, the echoing one with one processor as a worker has.
func roundTrips(ctx context.Context, rounds int) ([]Row, error) {
	var rows []Row
	for _, size := range []struct {
		bytes  int
		target float64
	}{{128, 1.1}, {4 << 10, 1.3}, {64 << 10, 1.5}} {
		m, err := raceChannels(ctx, rounds, size.bytes)
		if err != nil {
			return nil, err
		}
		row := Row{Metric: fmt.Sprintf("encrypted round trip, %d bytes", size.bytes), N: rounds, Unit: "µs", Ours: m[string(ipctest.Encrypted)].stats()}
		rows = append(rows, row.against("in the clear", m[string(ipctest.Plain)].stats(), size.target))
	}
	return rows, nil
}

func raceChannels(ctx context.Context, rounds, size int) (map[string]measured, error) {
	body := make([]byte, size)
	var arms []arm
	for _, kind := range []ipctest.Arm{ipctest.Encrypted, ipctest.Plain} {
		c, wait, err := echoProcess(ctx, kind)
		if err != nil {
			return nil, err
		}
		defer wait()
		defer c.Close()
		arms = append(arms, arm{string(kind), func(ctx context.Context) (float64, time.Duration, error) {
			return batch(ctx, c, body, 16)
		}})
	}
	return race(ctx, rounds, arms...)
}

// batch is the mean of a few calls: one alone is shorter than what a switch
// between the arms does to the caches.
func batch(ctx context.Context, c *ipc.Conn, body []byte, calls int) (float64, time.Duration, error) {
	begin := time.Now()
	for range calls {
		if _, err := c.Call(ctx, body); err != nil {
			return 0, 0, err
		}
	}
	return micros(time.Since(begin)) / float64(calls), 0, nil
}

func echoProcess(ctx context.Context, kind ipctest.Arm) (*ipc.Conn, func(), error) {
	ours, theirs, err := ipc.Pair()
	if err != nil {
		return nil, nil, err
	}
	defer theirs.Close()
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), echoVariable+"="+string(kind), "GOMAXPROCS=1")
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	c, err := kind.Open(ctx, ours, ipc.Config{Initiator: true})
	return c, func() { cmd.Wait() }, err
}

// throughput compares what one end can encrypt as Noise records with bare
// AES-GCM on blocks of the same size.
func throughput(ctx context.Context, rounds int) ([]Row, error) {
	record := make([]byte, 16<<10)
	ours, err := noiseRecords(record)
	if err != nil {
		return nil, err
	}
	theirs, err := bareRecords(record)
	if err != nil {
		return nil, err
	}
	m, err := race(ctx, rounds, arm{"noise", ours}, arm{"gcm", theirs})
	if err != nil {
		return nil, err
	}
	row := Row{Metric: "Noise records of 16 KiB, time for 16 MiB", N: rounds, Unit: "ms", Ours: m["noise"].stats()}
	return []Row{row.against("AES-GCM alone", m["gcm"].stats(), 0)}, nil
}

const records = 1024

func noiseRecords(record []byte) (func(context.Context) (float64, time.Duration, error), error) {
	suite := noise.NewCipherSuite(noise.DH25519, noise.CipherAESGCM, noise.HashSHA256)
	state := noise.UnsafeNewCipherState(suite, [32]byte{1}, 0)
	out := make([]byte, 0, len(record)+16)
	return func(context.Context) (float64, time.Duration, error) {
		begin := time.Now()
		for range records {
			if _, err := state.Encrypt(out, nil, record); err != nil {
				return 0, 0, err
			}
		}
		return millis(time.Since(begin)), 0, nil
	}, nil
}

func bareRecords(record []byte) (func(context.Context) (float64, time.Duration, error), error) {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(record)+16)
	nonce := make([]byte, gcm.NonceSize())
	return func(context.Context) (float64, time.Duration, error) {
		begin := time.Now()
		for i := range records {
			nonce[0], nonce[1] = byte(i), byte(i>>8)
			gcm.Seal(out, nonce, record, nil)
		}
		return millis(time.Since(begin)), 0, nil
	}, nil
}
