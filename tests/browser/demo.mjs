export const demoCases=[];
