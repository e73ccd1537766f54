import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Link from '@mui/material/Link';
import Typography from '@mui/material/Typography';
import { useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link as RouterLink } from 'react-router';
import { useQuery } from 'urql';
import { assetName } from '@/shared/domain/assetName';
import { useCatalogue } from '@/shared/domain/parameters';
import { useFormat } from '@/shared/format/react';
import type { ResultOf } from '@/shared/graph/tada';
import { useNews } from '@/shared/live/news';
import { usePermission } from '@/shared/session/react';
import { Ago } from '@/shared/ui/Ago';
import { Facts } from '@/shared/ui/Facts';
import { Loaded } from '@/shared/ui/Loaded';
import { SeverityLabel } from '@/shared/ui/Severity';
import { SidePanel } from '@/shared/ui/SidePanel';
import { Message } from '@/shared/ui/states';
import { useAlarmActions } from './actions';
import { alarmDetailDocument } from './documents';
import { Explanation } from './Explanation';
import { ResolveDialog } from './ResolveDialog';
import { subjectOf, useCertainty, useSentence } from './sentence';
import { isActive, isUnseen } from './status';
import { StatusLabel } from './StatusLabel';
import { Transitions } from './Transitions';

export interface PanelProps {
  id: string;
  /** What people say of the prediction that raised the alarm. */
  feedback: (prediction: { id: string; code: string }) => ReactNode;
  onClose: () => void;
}

/** How long to wait before asking again for an explanation that is being worked out. */
const EXPLAINED_SOON_MS = 2000;

/** One alarm in full beside the list: what it is, what to do, what has happened. */
export function AlarmPanel({ id, feedback, onClose }: PanelProps) {
  const { t } = useTranslation(['alarms', 'common']);
  const [{ data, error }, ask] = useQuery({ query: alarmDetailDocument, variables: { id } });
  const again = () => ask({ requestPolicy: 'network-only' });
  useNews('alarms', again);
  const alarm = data?.node?.__typename === 'AlarmEvent' ? data.node : null;
  const pending = alarm?.explanationStatus === 'PENDING';
  useEffect(() => {
    if (!pending) return;
    const timer = setInterval(() => ask({ requestPolicy: 'network-only' }), EXPLAINED_SOON_MS);
    return () => clearInterval(timer);
  }, [pending, ask]);
  return (
    <SidePanel title={alarm ? subjectOf(alarm) : t('panel.title')} onClose={onClose}>
      <Loaded data={data} error={error} onRetry={again}>
        {() =>
          alarm ? (
            <Detail alarm={alarm} feedback={feedback} onChanged={again} />
          ) : (
            <Message icon="compass" title={t('panel.gone')} />
          )
        }
      </Loaded>
    </SidePanel>
  );
}

type Full = Extract<NonNullable<ResultOf<typeof alarmDetailDocument>['node']>, { __typename: 'AlarmEvent' }>;

type DetailProps = Pick<PanelProps, 'feedback'> & { alarm: Full; onChanged: () => void };

function Detail({ alarm, feedback, onChanged }: DetailProps) {
  const { t } = useTranslation(['alarms', 'common']);
  const format = useFormat();
  const catalogue = useCatalogue();
  const certainty = useCertainty();
  const sentence = useSentence();
  const mayAct = usePermission('alarms:acknowledge');
  const { acknowledge } = useAlarmActions();
  const [resolving, setResolving] = useState(false);
  return (
    <Box sx={{ display: 'flex', flexDirection: 'column', gap: 2 }}>
      <Typography>{sentence(alarm)}</Typography>
      {mayAct && isActive(alarm.status) ? (
        <Box sx={{ display: 'flex', gap: 1 }}>
          {isUnseen(alarm.status) ? (
            <Button variant="contained" onClick={() => void acknowledge([alarm.id]).then(onChanged)}>
              {t('acknowledge.button')}
            </Button>
          ) : null}
          <Button variant="outlined" onClick={() => setResolving(true)}>
            {t('resolve.button')}
          </Button>
        </Box>
      ) : null}
      {!mayAct && isActive(alarm.status) ? (
        <Typography variant="caption" color="text.secondary">
          {t('panel.mayNotAct')}
        </Typography>
      ) : null}
      {alarm.recommendedAction ? (
        <Box
          sx={{
            borderInlineStart: '3px solid',
            borderInlineStartColor: 'var(--mui-palette-primary-main)',
            paddingInlineStart: 1.5,
          }}
        >
          <Typography variant="h3">{t('panel.whatToDo')}</Typography>
          <Typography>{alarm.recommendedAction}</Typography>
        </Box>
      ) : null}
      <Explanation status={alarm.explanationStatus} explanation={alarm.explanation} />
      {alarm.prediction && alarm.faultCode
        ? feedback({ id: alarm.prediction.id, code: alarm.faultCode })
        : null}
      <Facts
        items={[
          [t('common:severity.label'), <SeverityLabel key="s" severity={alarm.severity} />],
          [t('field.status'), <StatusLabel key="s" status={alarm.status} />],
          [
            t('field.asset'),
            <Link key="a" component={RouterLink} to={`/assets/${alarm.asset.id}`}>
              {assetName(alarm.asset)}
            </Link>,
          ],
          [t('field.site'), alarm.site.name],
          [t('field.sensor'), alarm.sensor?.code],
          [
            t('field.value'),
            t('panel.valueOf', { value: certainty(alarm), parameter: catalogue.labelOf(alarm.parameter) }),
          ],
          [t('field.rule'), alarm.ruleName],
          [t('field.since'), format.absolute(alarm.triggeredAt)],
          [t('field.lastTriggered'), <Ago key="l" at={alarm.lastTriggeredAt} />],
          [t('field.occurrences'), format.count(alarm.occurrences)],
          [t('field.acknowledgedBy'), alarm.acknowledgedBy?.fullName],
          [t('field.resolvedBy'), alarm.resolvedBy?.fullName],
          [t('field.correctionPlan'), alarm.correctionPlan],
        ]}
      />
      <Transitions items={alarm.transitions} />
      {resolving ? (
        <ResolveDialog
          id={alarm.id}
          title={sentence(alarm)}
          onClose={() => {
            setResolving(false);
            onChanged();
          }}
        />
      ) : null}
    </Box>
  );
}
