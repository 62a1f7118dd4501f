// For dependency-cruiser (`npm run check:cycles`): no file may reach itself by its imports, types included.
export default {
  forbidden: [{ name: 'import-cycle', severity: 'error', from: {}, to: { circular: true } }],
  options: {
    tsPreCompilationDeps: true,
    includeOnly: '^(packages|apps|tools)/',
    exclude: '(^|/)(node_modules|dist|out-tsc)/',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@openclaw/source', 'import', 'default'],
      extensions: ['.ts', '.tsx', '.mjs'],
    },
  },
};
