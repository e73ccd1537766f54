package mqtt_test

import (
	"net"
	"strings"
	"testing"

	"foresight/ingestion/mqtt"
)

func TestTakenAddressNamesTheSetting(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	err = mqtt.NewBroker(mqtt.Options{Addr: other.Addr().String(), Log: quiet}).Start(t.Context())
	if err == nil {
		t.Fatal("started on a taken address")
	}
	for _, want := range []string{other.Addr().String(), "FORESIGHT_MQTT_ADDR", "already in use"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}
