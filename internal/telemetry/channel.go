// Package telemetry holds the terms of measurement that every part shares: the
// machine channels, the parameter catalogue, readings, windows and the store in
// which they are kept. It has no dependency on a database, broker or transport.
package telemetry

// Channel is one of the 24 machine channels: 4 mount points with 6 quantities each.
type Channel uint8

// Channels is the number of machine channels; MountPoints x Quantities.
const (
	Channels    = 24
	MountPoints = 4
	Quantities  = 6
)

// MountPointNames are the mount points in channel order. DE is the drive end, NDE the non-drive end.
var MountPointNames = [MountPoints]string{"motor_DE", "motor_NDE", "pump_DE", "pump_NDE"}

// QuantityNames are the quantities of one mount point in channel order: velocity
// by frequency band (mm/s RMS; 2-100 Hz, 100-1000 Hz, 1-5 kHz, 5-10 kHz),
// ultrasonic (dBµV) and temperature (°C).
var QuantityNames = [Quantities]string{"vib_band_1", "vib_band_2", "vib_band_3", "vib_band_4", "ultrasonic", "temperature"}

// The quantities' places within a mount point.
const (
	Band1 = iota
	Band2
	Band3
	Band4
	Ultrasonic
	Temperature
)

var (
	channelNames  [Channels]string
	channelByName = make(map[string]Channel, Channels)
)

func init() {
	for m, mount := range MountPointNames {
		for q, quantity := range QuantityNames {
			c := At(m, q)
			channelNames[c] = mount + "_" + quantity
			channelByName[channelNames[c]] = c
		}
	}
}

// At returns the channel of a mount point (0-3) and a quantity (0-5).
func At(mount, quantity int) Channel { return Channel(mount*Quantities + quantity) }

// String returns the parameter name, `motor_DE_vib_band_1`.
func (c Channel) String() string { return channelNames[c] }

// Mount returns the index of the mount point.
func (c Channel) Mount() int { return int(c) / Quantities }

// Quantity returns the index of the quantity.
func (c Channel) Quantity() int { return int(c) % Quantities }

// ChannelByName finds a channel by its parameter name.
func ChannelByName(name string) (Channel, bool) {
	c, ok := channelByName[name]
	return c, ok
}
