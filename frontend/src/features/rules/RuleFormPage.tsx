import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import { useQuery } from 'urql';
import { usePermission } from '@/shared/session/react';
import { Loaded } from '@/shared/ui/Loaded';
import { PageHeader } from '@/shared/ui/PageHeader';
import { Message } from '@/shared/ui/states';
import { ruleDocument } from './documents';
import { RuleForm } from './RuleForm';

/** The page to add a rule, or to change the one of its address. */
export function RuleFormPage() {
  const { t } = useTranslation(['rules', 'common']);
  const { id } = useParams();
  const mayWrite = usePermission('rules:write');
  if (!mayWrite) {
    return (
      <Message
        icon="lock"
        title={t('common:error.forbidden.title')}
        text={t('common:error.forbidden.text')}
      />
    );
  }
  return (
    <>
      <PageHeader title={t(id ? 'form.edit' : 'form.add')} />
      {id ? <Existing id={id} /> : <RuleForm rule={null} />}
    </>
  );
}

function Existing({ id }: { id: string }) {
  const { t } = useTranslation('rules');
  const [{ data, error }, ask] = useQuery({ query: ruleDocument, variables: { id } });
  return (
    <Loaded data={data} error={error} onRetry={() => ask({ requestPolicy: 'network-only' })}>
      {({ node }) =>
        node?.__typename === 'AlarmRule' ? (
          <RuleForm key={node.id} rule={node} />
        ) : (
          <Message icon="compass" title={t('form.gone')} />
        )
      }
    </Loaded>
  );
}
