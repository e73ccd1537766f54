export { PredictionFeedback } from './PredictionFeedback';
