package config

import (
	"strings"
	"testing"
)

// TestKafkaListeners shows what becomes of the simple settings and of [[listeners]]: the first listener speaks what
// auth.enabled and tls.enabled say, the others have what they say themselves and else what is common, and each says which
// setting decided.
func TestKafkaListeners(t *testing.T) {
	load := func(text string) []Listener {
		t.Helper()
		c := Default()
		if err := c.decode(text); err != nil {
			t.Fatal(err)
		}
		return c.KafkaListeners()
	}
	f := func(text string, want Listener) {
		t.Helper()
		all := load(text)
		got := all[len(all)-1]
		got.settings = nil
		if got.Name != want.Name || got.Protocol != want.Protocol || got.Host != want.Host || got.Port != want.Port || got.TLS != want.TLS ||
			got.AdvertisedHost != want.AdvertisedHost || got.AdvertisedPort != want.AdvertisedPort {
			t.Errorf("%s\ngot  %+v\nwant %+v", text, got, want)
		}
	}
	none := TLS{ClientAuth: "none"}
	f("", Listener{Name: "PLAINTEXT", Protocol: "PLAINTEXT", Host: "localhost", Port: 9092, TLS: none})
	f("kafka_port = 1\nadvertised_host = \"k\"\nadvertised_port = 2\n[auth]\nenabled = true",
		Listener{Name: "SASL_PLAINTEXT", Protocol: "SASL_PLAINTEXT", Host: "localhost", Port: 1, AdvertisedHost: "k", AdvertisedPort: 2, TLS: none})
	common := "[tls]\nenabled = true\ncertificate_file = \"c\"\nkey_file = \"k\"\nclient_ca_file = \"a\"\n"
	required := TLS{"c", "k", "a", "required"}
	f(common, Listener{Name: "SSL", Protocol: "SSL", Host: "localhost", Port: 9092, TLS: required})
	f(common+"[auth]\nenabled = true", Listener{Name: "SASL_SSL", Protocol: "SASL_SSL", Host: "localhost", Port: 9092, TLS: required})
	second := "[[listeners]]\nprotocol = \"SSL\"\nport = 9094\n"
	f("listen_host = \"0.0.0.0\"\n"+common+second, Listener{Name: "SSL", Protocol: "SSL", Host: "0.0.0.0", Port: 9094, TLS: required})
	f(common+second+"name = \"x\"\nhost = \"::1\"\nkey_file = \"k2\"\nclient_auth = \"none\"\nadvertised_host = \"h\"",
		Listener{Name: "x", Protocol: "SSL", Host: "::1", Port: 9094, AdvertisedHost: "h", TLS: TLS{"", "k2", "a", "none"}})

	x := load(common + second + "name = \"x\"\nclient_ca_file = \"b\"")[1]
	for key, want := range map[string]string{"host": "listen_host", "port": "listeners[x].port", "key_file": "tls.key_file", "client_ca_file": "listeners[x].client_ca_file"} {
		if got := x.Setting(key); got != want {
			t.Errorf("%s is decided by %s, want %s", key, got, want)
		}
	}
}

// TestRefusedListeners shows what is said of listeners that cannot be: every fault by its setting, and nothing else.
func TestRefusedListeners(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		c := Default()
		if err := c.decode(text); err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := c.Validate(); err != nil {
			got = err.Error()
		}
		if got != strings.Join(want, "\n") {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", text, got, strings.Join(want, "\n"))
		}
	}
	table := "[[listeners]]\n"
	plain := table + "protocol = \"PLAINTEXT\"\nname = \"x\"\n"
	ssl := table + "protocol = \"SSL\"\nname = \"x\"\nport = 9094\n"
	files := "certificate_file = \"c\"\nkey_file = \"k\"\n"

	f(plain + "port = 9094")
	f(plain+"host = \"127.0.0.2\"\nport = 9092", `listeners[x].port = 9092: should be another port than kafka_port`)
	f("listen_host = \"127.0.0.1\"\n" + plain + "host = \"127.0.0.2\"\nport = 9092")
	f(plain, `listeners[x].port = 0: should be from 1 to 65535`)
	f("kafka_port = 0\n" + plain)
	f(plain+"port = 70000", `listeners[x].port = 70000: should be from 0 to 65535`)
	f(plain+"port = 9093", `http_port = 9093: should be another port than listeners[x].port`)
	f(plain+"port = 9094\n"+plain+"port = 9095", `listeners[x].name = "x": should be another name than that of the listener on port 9094`)
	f(table+"protocol = \"PLAINTEXT\"\nport = 9094", `listeners[PLAINTEXT].name = "PLAINTEXT": should be another name than that of the listener on port 9092`)
	f(table+"protocol = \"PLAINTEXT\"\nport = 9094\nname = \"a b\"", `listeners[a b].name = "a b": should be at most 64 letters, digits, dots, underscores and hyphens`)
	f(table+"port = 9094\nname = \"x\"", `listeners[x].protocol = "": should be "PLAINTEXT", "SSL", "SASL_PLAINTEXT" or "SASL_SSL"`)
	f(table+"port = 9094\nprotocol = \"TLS\"", `listeners[TLS].protocol = "TLS": should be "PLAINTEXT", "SSL", "SASL_PLAINTEXT" or "SASL_SSL"`)
	f(table+"port = 9094\nprotocol = \"SASL_PLAINTEXT\"", `listeners[SASL_PLAINTEXT].protocol = "SASL_PLAINTEXT": should be "PLAINTEXT" or "SSL", or auth.enabled = true, which says who may come in`)
	f(plain+"port = 9094\nadvertised_host = \"0.0.0.0\"\nadvertised_port = -1",
		`listeners[x].advertised_port = -1: should be from 0 to 65535`, `listeners[x].advertised_host = "0.0.0.0": should be a name or address that clients can connect to`)

	f("[tls]\nenabled = true\n" + files)
	f("[tls]\nenabled = true", `tls.certificate_file = "": should be a file in PEM with the certificate that SSL shows its clients`, `tls.key_file = "": should be a file in PEM with the key of tls.certificate_file`)
	f("[tls]\n"+files, `tls.enabled = false: should be true, or there should be [[listeners]] with TLS: else nobody uses tls.certificate_file`)
	f("[tls]\nclient_auth = \"required\"", `tls.enabled = false: should be true, or there should be [[listeners]] with TLS: else nobody uses tls.client_auth`)
	f("[tls]\nclient_ca_file = \"a\"", `tls.enabled = false: should be true, or there should be [[listeners]] with TLS: else nobody uses tls.client_ca_file`)
	f("[tls]\nkey_file = \"k\"", `tls.enabled = false: should be true, or there should be [[listeners]] with TLS: else nobody uses tls.key_file`)
	f("[tls]\n" + files + ssl)
	f("[tls]\n" + files + "client_auth = \"none\"\n" + ssl + table + "protocol = \"PLAINTEXT\"\nname = \"y\"\nport = 9095")
	f("[tls]\nclient_auth = \"none\"")
	f(plain+"port = 9094\nclient_auth = \"required\"", `listeners[x].protocol = "PLAINTEXT": should be "SSL" or "SASL_SSL": else nobody uses listeners[x].client_auth`)
	f("[tls]\nenabled = true\n"+files+plain+"port = 9094\n"+files+"client_ca_file = \"a\"",
		`listeners[x].protocol = "PLAINTEXT": should be "SSL" or "SASL_SSL": else nobody uses listeners[x].certificate_file`)
	f(ssl+"certificate_file = \"c\"", `listeners[x].key_file = "": should be a file in PEM with the key of listeners[x].certificate_file`)
	f(ssl+files+"client_auth = \"required\"", `tls.client_ca_file = "": should be a file in PEM with the authorities of clients' certificates, as listeners[x].client_auth = "required" takes`)
	f(ssl+files+"client_auth = \"always\"", `listeners[x].client_auth = "always": should be "none", "requested" or "required"`)
	f("[tls]\nreread_interval_ms = 1", `tls.reread_interval_ms = 1: should be from 10 to 86400000`)
}
