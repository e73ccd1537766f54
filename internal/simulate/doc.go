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
// Every class is a Signature: where it shows, what energy it adds to which band
// (root of the sum of squares: sources that are not in phase add in energy),
// how many dB to ultrasonic and how many kelvin to temperature, how unsteady it
// is from one reading to the next, and what it does to current, flow, pressure and
// speed. The signatures follow the usual fault charts of vibration analysis (such
// as the one in ISO 13373-3 and in Mobius's and SKF's guides): for instance
//
//   - unbalance is steady 1x (band 1) in both bearings of one casing, and goes with
//     the square of the speed; a bent shaft adds 2x and does not;
//   - parallel misalignment is 2x at the two coupling-side bearings, angular
//     misalignment 1x there and, rocking, at the far ends;
//   - a race defect is high-frequency and local to one bearing: steady for the outer
//     race, which stays in the load zone, modulated for the inner race, which turns
//     through it, and slowly modulated with the cage for a rolling element;
//   - starved bearings cry in ultrasound and run hot, over-greased ones only run hot;
//   - a broken rotor bar beats with slip, in vibration and current;
//   - cavitation is broad-band noise above 1 kHz and in ultrasound at the pump, with
//     unsteady flow; recirculation is a low-frequency rumble there;
//   - a faulty sensor breaks physics: stuck, drifting, spiking, noisy or cut off at
//     one mount point while its neighbours stay calm.
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
