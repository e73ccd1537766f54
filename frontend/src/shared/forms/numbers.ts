import { z } from 'zod';

// The Content-Security-Policy forbids the code that zod would otherwise compile.
z.config({ jitless: true });

/**
 * A number typed as text: point or comma, Western or Arabic-Indic digits. The empty
 * text is null. Messages are keys below `invalid` of the common texts.
 */
export function typedNumber({ min, max, above }: { min?: number; max?: number; above?: number } = {}) {
  return z.string().transform((text, context): number | null => {
    const plain = text
      .trim()
      .replace(/[٠-٩]/g, (digit) => String(digit.charCodeAt(0) - 0x660))
      .replace('٫', '.')
      .replace(',', '.');
    if (plain === '') return null;
    const value = Number(plain);
    const fail = (message: string) => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    if (!Number.isFinite(value)) return fail('number');
    if (min !== undefined && value < min) return fail('tooSmall');
    if (above !== undefined && value <= above) return fail('tooSmall');
    if (max !== undefined && value > max) return fail('tooLarge');
    return value;
  });
}

/** The same, where a value is needed. */
export function neededNumber(limits?: { min?: number; max?: number; above?: number }) {
  return typedNumber(limits).transform((value, context) => {
    if (value === null) {
      context.addIssue({ code: 'custom', message: 'needed' });
      return z.NEVER;
    }
    return value;
  });
}

export { z };
