import IconButton from '@mui/material/IconButton';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import { useColorScheme } from '@mui/material/styles';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { languages, rememberLanguage } from '@/shared/i18n/languages';
import { Icon, type IconName } from '@/shared/ui/icons';

const modes = ['light', 'dark', 'system'] as const;
const modeIcons: Record<(typeof modes)[number], IconName> = { light: 'sun', dark: 'moon', system: 'screen' };

/** Language and look, for everybody, signed in or not. */
export function Preferences() {
  const { t, i18n } = useTranslation('app');
  const { mode = 'system', setMode } = useColorScheme();
  return (
    <>
      <Choice
        label={t('language')}
        icon="language"
        value={i18n.language}
        options={languages.map(({ tag, name }) => ({ value: tag, label: name, lang: tag }))}
        onChange={(tag) => {
          rememberLanguage(tag);
          void i18n.changeLanguage(tag);
        }}
      />
      <Choice
        label={t('theme.label')}
        icon={modeIcons[mode]}
        value={mode}
        options={modes.map((one) => ({ value: one, label: t(`theme.${one}`) }))}
        onChange={(value) => setMode(modes.find((one) => one === value) ?? 'system')}
      />
    </>
  );
}

interface ChoiceProps {
  label: string;
  icon: IconName;
  value: string;
  options: { value: string; label: string; lang?: string }[];
  onChange: (value: string) => void;
}

function Choice({ label, icon, value, options, onChange }: ChoiceProps) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  return (
    <>
      <IconButton
        size="small"
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={anchor !== null}
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        <Icon name={icon} />
      </IconButton>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {options.map((option) => (
          <MenuItem
            key={option.value}
            dense
            lang={option.lang}
            role="menuitemradio"
            aria-checked={option.value === value}
            selected={option.value === value}
            onClick={() => {
              setAnchor(null);
              onChange(option.value);
            }}
          >
            {option.label}
          </MenuItem>
        ))}
      </Menu>
    </>
  );
}
