import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Skeleton from '@mui/material/Skeleton';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useCatalogue } from '@/shared/domain/parameters';
import { useFormat } from '@/shared/format/react';
import { useLink } from '@/shared/live/react';
import { throttle } from '@/shared/live/throttle';
import { Panel } from '@/shared/ui/Panel';
import { Message } from '@/shared/ui/states';
import { useSearch } from '@/shared/url/useSearch';
import type { Marker, Threshold } from './draw';
import { LineChart, type Range } from './LineChart';
import { chartsOf, quantities, type Quantity } from './quantities';
import type { Source } from './source';
import { isLive, spans, stepOf } from './spans';
import { useSource } from './useSource';

export interface SensorInfo {
  id: string;
  code: string;
  expectedIntervalSec: number | null;
}

interface Props {
  assetId: string;
  sensors: SensorInfo[];
  /** Limits of the rules that watch the machine, by parameter. */
  thresholds: ReadonlyMap<string, Threshold[]>;
  markers: Marker[];
  /** Told when each sensor last spoke, by its id, every few seconds. */
  onSeen?: (newest: Record<string, string>) => void;
}

const none: Threshold[] = [];

/** Live charts of a machine: what is measured, over which time, with limits and alarms. */
export function TelemetryPanel({ assetId, sensors, thresholds, markers, onSeen }: Props) {
  const { t } = useTranslation(['telemetry', 'common']);
  const format = useFormat();
  const search = useSearch();
  const catalogue = useCatalogue();
  const quantity: Quantity = quantities.find((one) => one === search.get('show')) ?? 'overall';
  const seconds = spans.find((one) => String(one) === search.get('span')) ?? 300;
  const ready = catalogue.all.length > 0;
  const specs = useMemo(
    () => (ready ? chartsOf(quantity, catalogue, t) : []),
    [ready, quantity, catalogue, t],
  );
  const parameters = specs.flatMap((spec) => spec.parameters);
  const { source, history, again } = useSource(assetId, parameters, seconds);
  const [zoom, setZoom] = useState<Range | null>(null);
  const filled = useFilled(source);
  useSeen(source, isLive(seconds) ? onSeen : undefined);
  const link = useLink();
  const expected = Math.max(1, ...sensors.map((sensor) => sensor.expectedIntervalSec ?? 1));
  const sensorName = (id: string) => sensors.find((sensor) => sensor.id === id)?.code ?? '';
  const shown = specs.filter((spec) => quantity !== 'process' || source.lines(spec.parameters).length > 0);

  return (
    <Panel
      title={t('title')}
      actions={
        <>
          {zoom ? (
            <Button size="small" onClick={() => setZoom(null)}>
              {t('backToLive')}
            </Button>
          ) : null}
          <Choice
            label={t('quantity.label')}
            value={quantity}
            options={quantities.map((one) => [one, t(`quantity.${one}`)])}
            onChange={(value) => search.set({ show: value })}
          />
          <Choice
            label={t('span')}
            value={String(seconds)}
            options={spans.map((one) => [String(one), format.duration(one)])}
            onChange={(value) => {
              setZoom(null);
              search.set({ span: value });
            }}
          />
        </>
      }
    >
      {history === 'failed' ? (
        <Alert
          severity="warning"
          variant="outlined"
          sx={{ mb: 2 }}
          action={
            <Button color="inherit" size="small" onClick={again}>
              {t('common:retry')}
            </Button>
          }
        >
          {t('historyFailed')}
        </Alert>
      ) : null}
      {!filled && history !== 'loading' ? (
        <Message icon="overview" title={t('empty.title')} text={t('empty.text')} />
      ) : !filled ? (
        <Skeleton variant="rounded" height={220} />
      ) : (
        <Box
          sx={{
            display: 'grid',
            gap: 2,
            gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'repeat(2, minmax(0, 1fr))' },
            opacity: link.phase === 'reconnecting' || link.phase === 'offline' ? 0.6 : 1,
          }}
        >
          {shown.map((spec) => (
            <LineChart
              key={spec.id}
              spec={spec}
              source={source}
              seconds={seconds}
              gap={Math.max(expected * 3, stepOf(seconds) * 2) + 1}
              zoom={zoom}
              onZoom={setZoom}
              thresholds={spec.parameters.length === 1 ? (thresholds.get(spec.parameters[0]!) ?? none) : none}
              markers={markers}
              sensorName={sensorName}
            />
          ))}
        </Box>
      )}
    </Panel>
  );
}

/** Whether any reading has come for the view. */
function useFilled(source: Source): boolean {
  const [filled, setFilled] = useState<Source | null>(null);
  useEffect(() => {
    const look = () => {
      if (!source.isEmpty) setFilled(source);
    };
    look();
    return source.onChange(look);
  }, [source]);
  return filled === source;
}

const TELL_EVERY = 5_000;

function useSeen(source: Source, onSeen: Props['onSeen']): void {
  useEffect(() => {
    if (!onSeen) return;
    const tell = throttle(() => {
      onSeen(source.newest());
    }, TELL_EVERY);
    const stop = source.onChange(tell);
    return () => {
      stop();
      tell.cancel();
    };
  }, [source, onSeen]);
}

interface ChoiceProps {
  label: string;
  value: string;
  options: [value: string, label: string][];
  onChange: (value: string) => void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <ToggleButtonGroup
      exclusive
      size="small"
      aria-label={label}
      value={value}
      onChange={(_, next: string | null) => {
        if (next !== null) onChange(next);
      }}
      sx={{
        flexWrap: 'wrap',
        gap: 0.5,
        // Each button has a border of its own, because a row of them may wrap anywhere.
        '& .MuiToggleButtonGroup-grouped': {
          m: 0,
          py: 0.25,
          px: 1.25,
          border: 1,
          borderColor: 'divider',
          borderRadius: 1,
          textTransform: 'none',
          fontWeight: 400,
        },
      }}
    >
      {options.map(([option, text]) => (
        <ToggleButton key={option} value={option}>
          {text}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}
