import { AlarmsPage } from '@/features/alarms/AlarmsPage';
import { PredictionFeedback } from '@/features/feedback/pages';

/** The list of alarms, with what people say of the predictions behind them. */
export function Alarms() {
  return (
    <AlarmsPage
      feedback={(prediction) => <PredictionFeedback predictionId={prediction.id} code={prediction.code} />}
    />
  );
}
