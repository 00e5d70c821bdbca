/** What the editor knows of languages: colours for all, services for a few, each with its worker on first use. */
import "monaco-editor/languages/definitions/css/register";
import "monaco-editor/languages/definitions/html/register";
import "monaco-editor/languages/definitions/ini/register";
import "monaco-editor/languages/definitions/javascript/register";
import "monaco-editor/languages/definitions/markdown/register";
import "monaco-editor/languages/definitions/python/register";
import "monaco-editor/languages/definitions/shell/register";
import "monaco-editor/languages/definitions/sql/register";
import "monaco-editor/languages/definitions/typescript/register";
import "monaco-editor/languages/definitions/xml/register";
import "monaco-editor/languages/definitions/yaml/register";
// These only say which language has a service: they must be there before the first model, and bring the service and
// its worker with the first file that needs it.
import "monaco-editor/languages/features/css/register";
import "monaco-editor/languages/features/html/register";
import "monaco-editor/languages/features/json/register";
import EditorWorker from "monaco-editor/editor/editor.worker.js?worker";
import {
  type CompilerOptions,
  type DiagnosticsOptions,
  JsxEmit,
  javascriptDefaults,
  ModuleKind,
  ModuleResolutionKind,
  ScriptTarget,
  typescriptDefaults,
} from "monaco-editor/languages/features/typescript/register";

self.MonacoEnvironment = {
  getWorker: async (_id: string, label: string) => {
    switch (label) {
      case "json":
        return new (
          await import("monaco-editor/languages/features/json/json.worker.js?worker")
        ).default();
      case "css":
      case "scss":
      case "less":
        return new (
          await import("monaco-editor/languages/features/css/css.worker.js?worker")
        ).default();
      case "html":
        return new (
          await import("monaco-editor/languages/features/html/html.worker.js?worker")
        ).default();
      case "typescript":
      case "javascript":
        return new (
          await import("monaco-editor/languages/features/typescript/ts.worker.js?worker")
        ).default();
      default:
        return new EditorWorker();
    }
  },
};

/** `ModuleDetectionKind.Force`, which Monaco does not name: two open scripts are not one program. */
const EACH_FILE_A_MODULE = 3;

const COMPILER: CompilerOptions = {
  allowNonTsExtensions: true,
  allowSyntheticDefaultImports: true,
  esModuleInterop: true,
  isolatedModules: true,
  jsx: JsxEmit.ReactJSX,
  module: ModuleKind.ESNext,
  moduleDetection: EACH_FILE_A_MODULE,
  moduleResolution: ModuleResolutionKind.NodeJs,
  noEmit: true,
  // What comes from a file that is not open is `any`, and would make its callbacks' parameters errors.
  noImplicitAny: false,
  resolveJsonModule: true,
  skipLibCheck: true,
  strict: true,
  target: ScriptTarget.ESNext,
};

/**
 * The service sees open files only: what it says of packages and files that it does not see is not about the program.
 */
const DIAGNOSTICS: DiagnosticsOptions = {
  diagnosticCodesToIgnore: [
    2307, // Cannot find module.
    2792, // The same, with advice.
    2875, // JSX needs the module react/jsx-runtime.
    7016, // No declaration file for a module.
    7026, // JSX without its types.
  ],
};

/** Names that Node gives every program; their types come with language servers. */
const NODE = [
  "process",
  "require",
  "module",
  "exports",
  "__dirname",
  "__filename",
  "Buffer",
  "global",
]
  .map((name) => `declare var ${name}: any;`)
  .join("\n");

for (const defaults of [typescriptDefaults, javascriptDefaults]) {
  // Without it, `.mts` would be read as JavaScript.
  defaults.setCompilerOptions({ ...COMPILER, allowJs: defaults === javascriptDefaults });
  defaults.setEagerModelSync(true);
  defaults.addExtraLib(NODE, "slipway:///node.d.ts");
}
typescriptDefaults.setDiagnosticsOptions(DIAGNOSTICS);
javascriptDefaults.setDiagnosticsOptions({ ...DIAGNOSTICS, noSemanticValidation: true });
