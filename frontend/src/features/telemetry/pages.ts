export { TelemetryPanel } from './TelemetryPanel';
