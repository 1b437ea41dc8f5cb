package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// Metrics says where Prometheus finds the metrics.
type Metrics struct {
	// Listen is "" for nowhere, a loopback address with a port, or "unix:" and
	// the path of a socket.
	Listen string `toml:"listen" json:"listen"`
}

const unixPrefix = "unix:"

// Address gives what net.Listen takes; network is "" for nowhere.
func (m Metrics) Address() (network, address string) {
	if path, ok := strings.CutPrefix(m.Listen, unixPrefix); ok {
		return "unix", path
	}
	if m.Listen == "" {
		return "", ""
	}
	return "tcp", m.Listen
}

// check refuses what others than this host could reach. A name is refused too:
// what it stands for is decided elsewhere.
func (m Metrics) check() error {
	network, address := m.Address()
	switch network {
	case "":
		return nil
	case "unix":
		if len(address) > maxSocketPath {
			return fmt.Errorf("is longer than %d bytes", maxSocketPath)
		}
		return absolute(address)
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil || ap.Port() == 0 || ap.Addr().Zone() != "" || !ap.Addr().IsLoopback() {
		return fmt.Errorf("%.80q is neither a loopback address and a port (127.0.0.1:9464, [::1]:9464) nor unix: and a path", address)
	}
	return nil
}
