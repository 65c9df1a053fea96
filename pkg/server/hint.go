package server

import (
	"errors"
	"fmt"
	"strings"
)

// Endings of a connection whose client speaks another protocol. They are found by the first bytes.
var (
	errTLS  = errors.New("TLS where there is none: a client that speaks SSL or SASL_SSL?")
	errHTTP = errors.New("HTTP: a client that looks for another port?")
)

// hintBytes is how many bytes tell protocols apart: as many as a frame's length has.
const hintBytes = sizeBytes

// httpMethods are the first bytes of requests by HTTP. As the length of a frame each would be over a gigabyte.
const httpMethods = "GET HEADPOSTPUT DELEOPTIPATCCONNTRACPRI "

func looksLikeHTTP(b []byte) bool {
	at := strings.Index(httpMethods, string(b[:hintBytes]))
	return at >= 0 && at%hintBytes == 0
}

// looksLikeTLS says whether b begins a handshake of TLS, of any version from SSL 3.0 on.
func looksLikeTLS(b []byte) bool { return b[0] == 22 && b[1] == 3 && b[2] <= 4 }

// sizeEnding is why a connection ends that brought these bytes where a length should be, and is not.
func sizeEnding(b []byte, size, bytesMax int) error {
	switch {
	case looksLikeTLS(b):
		return errTLS
	case looksLikeHTTP(b):
		return errHTTP
	case size < 0:
		return errNegative
	}
	return fmt.Errorf("%w: %d bytes, the limit is %d", errFrameSize, size, bytesMax)
}
