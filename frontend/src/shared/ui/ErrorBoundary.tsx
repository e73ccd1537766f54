import Button from '@mui/material/Button';
import { Component, type ErrorInfo, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Message } from './states';

interface Props {
  /** Another value begins anew, such as the address of the page. */
  resetKey: string;
  children: ReactNode;
}

/** Catches what a page throws, so that the rest of the product stays usable. */
export class ErrorBoundary extends Component<Props, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo) {
    console.error(error, info.componentStack);
  }

  override componentDidUpdate(before: Props) {
    if (this.state.failed && before.resetKey !== this.props.resetKey) this.setState({ failed: false });
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return <Broken onRetry={() => this.setState({ failed: false })} />;
  }
}

function Broken({ onRetry }: { onRetry: () => void }) {
  const { t } = useTranslation('common');
  return (
    <div role="alert">
      <Message
        icon="warning"
        title={t('broken.title')}
        text={t('broken.text')}
        action={
          <>
            <Button variant="outlined" size="small" onClick={onRetry}>
              {t('retry')}
            </Button>
            <Button size="small" onClick={() => window.location.reload()}>
              {t('reload')}
            </Button>
          </>
        }
      />
    </div>
  );
}
