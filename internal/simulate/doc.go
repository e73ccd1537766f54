// Package simulate is the physical simulator of motor-pump sets that the demo, the
// training of the shipped fault classifier and the tests share, and the MQTT
// publisher that makes its machines speak like real sensors.
//
// # The machine
//
// A machine is a motor and a pump on one base, coupled, with four bearings: the
// mount points motor_DE, motor_NDE, pump_DE and pump_NDE (DE is the drive, that is
// the coupling end). Each mount point measures velocity in four bands, ultrasonic
// and temperature. A healthy machine has a level per channel that follows from its
// type, power, speed and mount (a flexible base moves more at low frequency), and
// that is its own: no two machines of a type are alike. Levels move with the
// operating point: residual unbalance goes with the square of the speed, flow noise
// and the temperature rise with the load. Load drifts about its set point, and the
// set point jumps from time to time (a change of regime). Temperatures follow with
// the thermal inertia of the casing.
//
// # The faults
//
// Every class is a signature: where it shows, the lines and the noise that it adds
// (root of the sum of squares: sources that are not in phase add in energy), how many dB
// to ultrasonic and how many kelvin to temperature, how unsteady it is from one reading
// to the next, and what it does to current, flow, pressures and speed. Lines are harmonics
// of the speed, of the defect frequencies of the bearings, of vane and bar pass and of the
// grid; the filters of the bands decide where they show, so that the same fault looks
// different on a slow and on a fast machine. The signs of a fault grow in the order of
// the P-F curve. The signatures follow the usual fault charts of vibration analysis (such
// as the one in ISO 13373-3 and in Mobius's and SKF's guides); docs/simulator.md lists
// them.
//
// # The lives
//
// A Life is the history of one machine: faults that begin after Weibull lives, grow
// along their P-F interval and end in a failure or a repair, with the services, stops
// and silences of a plant. A Course measures along it.
//
// Energy travels: neighbouring mount points see a part of what happens at one,
// less through the coupling than along a casing, and much less at high frequency.
//
// What 4 bands cannot tell apart in a plant they cannot here either: classes
// overlap at low severity, machines differ, and the sampled level of a band has the
// scatter of a real RMS estimate.
//
// Everything is a function of the seed and of the times at which samples are taken.
package simulate
