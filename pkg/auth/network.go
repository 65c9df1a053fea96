package auth

import "net/netip"

// networkBits are the bits of an IPv6 address that name the network: one customer has all the others.
const networkBits = 64

// Network is what clients are told apart by where their addresses are counted: an IPv4 address, or the network of an IPv6
// address.
func Network(peer netip.Addr) netip.Addr {
	peer = peer.Unmap()
	if !peer.Is6() {
		return peer
	}
	prefix, err := peer.Prefix(networkBits)
	if err != nil {
		return peer
	}
	return prefix.Addr()
}
