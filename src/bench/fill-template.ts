// Templates of an app protocol: any JSON value, with `$names` inside its strings.

/** What a template's `$names` stand for. */
export interface TemplateValues {
  readonly room?: string;
  readonly user?: string;
  readonly target?: string;
  readonly payload?: string;
  readonly id?: string;
}

const NAME = /\$(room|user|target|payload|id)\b/g;

/** The template with every `$name` replaced that has a value. Keys of objects are left alone. */
export function fillTemplate(template: unknown, values: TemplateValues): unknown {
  if (typeof template === "string") {
    return template.replace(NAME, (whole, name: keyof TemplateValues) => values[name] ?? whole);
  }
  if (Array.isArray(template)) return template.map((item) => fillTemplate(item, values));
  if (typeof template !== "object" || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([key, item]) => [key, fillTemplate(item, values)]));
}
