export const pageCases=[];
